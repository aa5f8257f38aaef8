using System.Globalization;
using System.Text;

namespace Candela.Language;

/// <summary>Gives or looks up the number of a feature; negative when it has none.</summary>
/// <param name="name">The feature, valid during the call.</param>
public delegate int FeatureNumber(ReadOnlySpan<char> name);

/// <summary>Writes the features of each token as short texts, a letter for the template and then its values, and has them numbered. What taggers with and without a net read.
/// Features are those common for part-of-speech and entity tagging (Ratnaparkhi 1996; Sha and Pereira 2003).</summary>
public static class TokenFeatures
{
    private const string Before = "\u0002", After = "\u0003"; // stand for tokens outside the sentence
    private const char Between = '\u0001';
    private const int AffixLength = 4;

    /// <summary>As many features as a token can have.</summary>
    public const int Most = 28;

    /// <summary>The numbers of each token's features; unknown ones are left out.</summary>
    /// <param name="tokens">A sentence.</param>
    /// <param name="templates">Which features; not <see cref="TokenTemplates.Auto"/>.</param>
    /// <param name="number">Numbers them.</param>
    /// <returns>Per token its features, <see cref="Most"/> or fewer.</returns>
    public static int[][] Of(IReadOnlyList<string> tokens, TokenTemplates templates, FeatureNumber number)
    {
        var writer = new Writer(number);
        var views = new View[tokens.Count];
        for (int i = 0; i < views.Length; i++)
            views[i] = View.Of(tokens[i]);
        var features = new int[views.Length][];
        for (int i = 0; i < features.Length; i++)
        {
            if (templates == TokenTemplates.Characters)
                Character(writer, views, i);
            else
                Word(writer, views, i);
            features[i] = writer.Take();
        }

        return features;
    }

    /// <summary>What <see cref="TokenTemplates.Auto"/> stands for.</summary>
    /// <param name="sentences">The training text.</param>
    public static TokenTemplates Choose(IEnumerable<IReadOnlyList<string>> sentences)
    {
        long single = 0, all = 0;
        foreach (IReadOnlyList<string> tokens in sentences)
            foreach (string token in tokens)
            {
                single += token.Length == 1 || (token.Length == 2 && char.IsSurrogatePair(token, 0)) ? 1 : 0;
                all++;
            }

        return 5 * single >= 4 * all ? TokenTemplates.Characters : TokenTemplates.Words;
    }

    private static void Word(Writer to, View[] views, int i)
    {
        View word = views[i], before = At(views, i - 1), after = At(views, i + 1);
        to.Add('b');
        to.Add('w', word.Text);
        to.Add('l', word.Lower);
        to.Add('m', before.Lower);
        to.Add('n', after.Lower);
        to.Add('M', At(views, i - 2).Lower);
        to.Add('N', At(views, i + 2).Lower);
        to.Add('p', before.Lower, word.Lower);
        to.Add('q', word.Lower, after.Lower);
        to.Add('r', before.Lower, after.Lower);
        for (int length = 1; length <= AffixLength && length <= word.Lower.Length; length++)
        {
            to.Add((char)('0' + length), word.Lower.AsSpan(0, length));
            to.Add((char)('4' + length), word.Lower.AsSpan(word.Lower.Length - length));
        }

        to.Add('s', word.Shape);
        to.Add('S', word.ShortShape);
        to.Add('t', before.ShortShape, word.ShortShape);
        to.Add('u', word.ShortShape, after.ShortShape);
        to.Add('v', before.ShortShape, word.ShortShape, after.ShortShape);
        to.Add('x', Suffix(before));
        to.Add('y', Suffix(after));
        to.Add('z', Suffix(before), Suffix(word));
        if (i == 0)
            to.Add('f', word.ShortShape);

        static ReadOnlySpan<char> Suffix(View view) => view.Lower.AsSpan(Math.Max(0, view.Lower.Length - 3));
    }

    private static void Character(Writer to, View[] views, int i)
    {
        View two = At(views, i - 2), one = At(views, i - 1), here = views[i], next = At(views, i + 1), far = At(views, i + 2);
        to.Add('b');
        to.Add('a', two.Text);
        to.Add('c', one.Text);
        to.Add('d', here.Text);
        to.Add('e', next.Text);
        to.Add('f', far.Text);
        to.Add('g', two.Text, one.Text);
        to.Add('h', one.Text, here.Text);
        to.Add('i', here.Text, next.Text);
        to.Add('j', next.Text, far.Text);
        to.Add('k', one.Text, next.Text);
        to.Add('l', two.Text, one.Text, here.Text);
        to.Add('m', one.Text, here.Text, next.Text);
        to.Add('n', here.Text, next.Text, far.Text);
        to.Add('o', here.Shape);
        to.Add('p', one.Shape, here.Shape, next.Shape);
        if (one.Text == here.Text)
            to.Add('q');
        if (two.Text == here.Text)
            to.Add('r');
    }

    private static View At(View[] views, int i) => i < 0 ? View.Start : i >= views.Length ? View.End : views[i];

    private sealed record View(string Text, string Lower, string Shape, string ShortShape)
    {
        public static readonly View Start = new(Before, Before, Before, Before), End = new(After, After, After, After);

        public static View Of(string token)
        {
            var (lower, shape, brief) = (new StringBuilder(token.Length), new StringBuilder(token.Length), new StringBuilder(token.Length));
            foreach (char c in token)
            {
                lower.Append(char.IsDigit(c) ? '0' : char.ToLowerInvariant(c));
                char kind = Kind(c);
                shape.Append(kind);
                if (brief.Length == 0 || brief[^1] != kind)
                    brief.Append(kind);
            }

            return new View(token, lower.ToString(), shape.ToString(), brief.ToString());
        }

        private static char Kind(char c) => char.GetUnicodeCategory(c) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => 'X',
            UnicodeCategory.LowercaseLetter => 'x',
            UnicodeCategory.DecimalDigitNumber => '0',
            UnicodeCategory.OtherLetter => 'h', // Han and other scripts without case
            UnicodeCategory.Surrogate => 's',
            _ => c,
        };
    }

    private sealed class Writer(FeatureNumber number)
    {
        private readonly List<int> _taken = [];
        private char[] _text = new char[256];

        public void Add(char template) => Number([template]);

        public void Add(char template, ReadOnlySpan<char> a) => Number(Join(template, a, default, default, 1));

        public void Add(char template, ReadOnlySpan<char> a, ReadOnlySpan<char> b) => Number(Join(template, a, b, default, 2));

        public void Add(char template, ReadOnlySpan<char> a, ReadOnlySpan<char> b, ReadOnlySpan<char> c) => Number(Join(template, a, b, c, 3));

        public int[] Take()
        {
            int[] taken = [.. _taken];
            _taken.Clear();
            return taken;
        }

        private void Number(ReadOnlySpan<char> name)
        {
            if (number(name) is >= 0 and var n)
                _taken.Add(n);
        }

        private ReadOnlySpan<char> Join(char template, ReadOnlySpan<char> a, ReadOnlySpan<char> b, ReadOnlySpan<char> c, int parts)
        {
            int length = a.Length + b.Length + c.Length + parts;
            if (_text.Length < length)
                _text = new char[2 * length];
            _text[0] = template;
            a.CopyTo(_text.AsSpan(1));
            int at = 1 + a.Length;
            if (parts > 1)
            {
                _text[at] = Between;
                b.CopyTo(_text.AsSpan(at + 1));
                at += 1 + b.Length;
            }

            if (parts > 2)
            {
                _text[at] = Between;
                c.CopyTo(_text.AsSpan(at + 1));
            }

            return _text.AsSpan(0, length);
        }
    }
}
