// Writes unicode.txt, the tables of Candela's text normalization and scripts, from the Unicode data of the Node.js that runs it:
//   node src/Candela.Core/Tokenization/Unicode/generate.mjs > src/Candela.Core/Tokenization/Unicode/unicode.txt
// Lines: `D x y...` canonical decomposition (full), `P x y z` x composes from y and z, `K x y...` compatibility decomposition (full) where it differs,
// `C first last class` canonical combining class, `A first-last ...` alphabetic though neither letter nor letter number, `S name first-last ...` script. All code points are hexadecimal.
const classes = [[1, 0x334], [6, 0x16FF0], [7, 0x93C], [8, 0x3099], [9, 0x94D], [10, 0x5B0], [11, 0x5B1], [12, 0x5B2], [13, 0x5B3], [14, 0x5B4], [15, 0x5B5], [16, 0x5B6], [17, 0x5B7],
  [18, 0x5B8], [19, 0x5B9], [20, 0x5BB], [21, 0x5BC], [22, 0x5BD], [23, 0x5BF], [24, 0x5C1], [25, 0x5C2], [26, 0xFB1E], [27, 0x64B], [28, 0x64C], [29, 0x64D], [30, 0x618], [31, 0x619],
  [32, 0x61A], [33, 0x651], [34, 0x652], [35, 0x670], [36, 0x711], [84, 0xC55], [91, 0xC56], [103, 0xE38], [107, 0xE48], [118, 0xEB8], [122, 0xEC8], [129, 0xF71], [130, 0xF72], [132, 0xF74],
  [202, 0x321], [214, 0x1DCE], [216, 0x31B], [218, 0x1DFA], [220, 0x316], [222, 0x59A], [224, 0x302E], [226, 0x1D16D], [228, 0x5AE], [230, 0x300], [232, 0x315], [233, 0x35C], [234, 0x35D], [240, 0x345]];
const hex = (c) => c.toString(16).toUpperCase(), points = (s) => Array.from(s, (c) => c.codePointAt(0));
const assigned = [];
for (let c = 0; c <= 0x10FFFF; c++)
  if (!(c >= 0xD800 && c <= 0xDFFF) && !/\p{Cn}|\p{Co}/u.test(String.fromCodePoint(c))) assigned.push(c);
console.log(`# Unicode ${process.versions.unicode}`);
const full = new Map();
for (const c of assigned) {
  if (c >= 0xAC00 && c <= 0xD7A3) continue; // Hangul by rule
  const text = String.fromCodePoint(c), d = text.normalize('NFD'), k = text.normalize('NFKD');
  if (d !== text) full.set(c, d);
  if (d !== text) {
    // A composite is stored as the pair it composes from, so that composition can be read off the same line; a singleton or excluded one as what it becomes.
    const parts = points(d), composed = text.normalize('NFC') === text;
    if (composed) {
      const last = parts.at(-1), head = String.fromCodePoint(...parts.slice(0, -1)).normalize('NFC');
      if (points(head).length !== 1 || (head + String.fromCodePoint(last)).normalize('NFC') !== text) throw new Error(`no pair for ${hex(c)}`);
      console.log(`P ${hex(c)} ${hex(head.codePointAt(0))} ${hex(last)}`);
    }
    console.log(`D ${hex(c)} ${parts.map(hex).join(' ')}`);
  }
  if (k !== d) console.log(`K ${hex(c)} ${points(k).map(hex).join(' ')}`);
}
let run = null;
const flush = () => run && console.log(`C ${hex(run.first)} ${hex(run.last)} ${run.value}`);
for (const c of assigned) {
  const m = String.fromCodePoint(c);
  let value = 0;
  if (/\p{M}/u.test(m) && m.normalize('NFD') === m) {
    // The class is that of the representative with which it changes places in neither order; a starter changes places with none.
    const lower = [], higher = [];
    for (const [k, r] of classes) {
      const x = String.fromCodePoint(r);
      if (x === m) { lower.length = higher.length = 0; value = k; break; }
      if ((x + m).normalize('NFD') === m + x) higher.push(k); // ccc(m) < k
      else if ((m + x).normalize('NFD') === x + m) lower.push(k); // ccc(m) > k
    }
    if (!value && (lower.length || higher.length)) {
      const rest = classes.filter(([k]) => !lower.includes(k) && !higher.includes(k));
      if (rest.length !== 1) throw new Error(`class of ${hex(c)}`);
      value = rest[0][0];
    }
  }
  if (run && run.value === value && run.last === c - 1) { run.last = c; continue; }
  if (run?.value) flush();
  run = { first: c, last: c, value };
}
if (run?.value) flush();
const ranged = (test) => {
  const ranges = [];
  for (const c of assigned)
    if (test(String.fromCodePoint(c)))
      if (ranges.length && ranges.at(-1)[1] === c - 1) ranges.at(-1)[1] = c; else ranges.push([c, c]);
  return ranges.map(([a, b]) => (a === b ? hex(a) : `${hex(a)}-${hex(b)}`)).join(' ');
};
console.log(`A ${ranged((c) => /\p{Alphabetic}/u.test(c) && !/\p{L}|\p{Nl}/u.test(c))}`);
const names = 'Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square'.split(' ');
for (const name of names) {
  let re;
  try { re = new RegExp(`\\p{Script=${name}}`, 'u'); } catch { continue; }
  console.log(`S ${name} ${ranged((c) => re.test(c))}`);
}
