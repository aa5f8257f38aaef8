using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class RougeTests
{
    // rouge_score, testdata/target.txt and prediction.txt, first two lines; testdata/pyrouge_files/*_multi.0.txt.
    private const string Target0 = "ZfbCUIUuePaiLVUlCaUXxkpu XPeWing tUHfPMuZ',-Xd Y BrUgVJing M-HV.-DgdDaY.rFDJCRing Ht-LM EKBDXkME,yz'RBr q'wtion wIojNbN wL,b .a-'XdQggyFl jB-RPP'iyOIcUxer tKM L";
    private const string Prediction0 = "rFDJCRtion Ht-LM EKtDXkME,yz'RBr q'wer wrojNbN wL,b .a-'XdQggyFl jB-RPP'iyOIcUxi";
    private const string Target1 = "KsJdPByEtAor fE-Qg Dpdbring cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMtion psing sbKao Q m qiing LMmer HqqLFXe,XPY,J XsurkMer ,ed nB'wH'bWVHjWFEing tQ.saefZwJtKrTlixYpMMsJing UCAPwNHeYVjDing c T BUySKtion gMPfJpwGw p'NvxAoping eu pBwMBKV'I DNxqelhu,PHPxDEq,mtion SN";
    private const string Prediction1 = "n cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMer pstion sbKao Q m qier LMmed HqqLFXe,XPY,J XsurkMeo ,ed nB'wH'bWVHjWFEer tQ.saefZwJtKrTlixYpMMNJtion UCAPwNHeYVjD";
    private const string Target2 = "NhETebUbBk'er WOvoHMTjSRizKgH'vHiing Xu,hWxfs VkNE QhgKiLHE -HidivzoM.dO anhtion jbLQiSGDTCsuhREebUaKM dv J dVN tmbOT";
    private const string Prediction2 = "xfs VkJE QhgKiLHE -HidivzoM.dO anhing jbLQiSGDTCsuhREebUaKM dv J";
    private const string Target3 = "vMR HDm,xOAetion D,tion HJtodT.mHl UIv-p VjWH'BdyWjnfGU-OjT aEMdFICyLWfQMtion wEMfdOKing AwkeKbO 'DxqNOHBH qKtVvm OYJl mM";
    private const string Prediction3 = "VjWH'BdyWjnfGU-OjTNaEMdFICyLWfQMing wEMfdOKijg AwkeKbO 'DxqNO";

    private static RougeScores One(string hypothesis, string reference, bool stem = false) => new Rouge(new RougeOptions { UseStemmer = stem, Resamples = 0 }).Score([hypothesis], [reference]);

    private static void Is(RougeScore score, double recall, double precision, double f1, double tolerance = 1e-9)
    {
        Assert.Equal(recall, score.Recall.Value, tolerance);
        Assert.Equal(precision, score.Precision.Value, tolerance);
        Assert.Equal(f1, score.F1.Value, tolerance);
    }

    [Fact, Trait("Kind", "golden")] // rouge_scorer_test.py: testRouge1, testRouge2, testRougeLConsecutive, testRougeLNonConsecutive, testRougeEmpty
    public void Score_ThreeWords_IsThatOfRougeScore()
    {
        Is(One("testing", "testing one two").Rouge1, 1.0 / 3, 1, 0.5);
        Is(One("testing one", "testing one two").Rouge2, 0.5, 1, 2.0 / 3);
        Is(One("testing one", "testing one two").RougeL, 2.0 / 3, 1, 0.8);
        Is(One("testing two", "testing one two").RougeL, 2.0 / 3, 1, 0.8);
        RougeScores empty = One("", "testing one two");
        Assert.All([empty.Rouge1, empty.Rouge2, empty.RougeL, empty.RougeLsum], score => Is(score, 0, 0, 0));
    }

    [Theory, Trait("Kind", "golden")] // rouge_scorer_test.py: test*AgainstRouge155, values of the Perl program
    [InlineData(Target0, Prediction0, false, 0.40741, 0.68750, 0.51163, 0.30769, 0.53333, 0.39024)]
    [InlineData(Target1, Prediction1, false, 0.40476, 0.65385, 0.50000, 0.29268, 0.48000, 0.36364)]
    [InlineData(Target0, Prediction0, true, 0.40741, 0.68750, 0.51163, 0.30769, 0.53333, 0.39024)]
    [InlineData(Target1, Prediction1, true, 0.42857, 0.69231, 0.52941, 0.29268, 0.48000, 0.36364)]
    public void Score_NoiseWords_IsThatOfRouge155(string target, string prediction, bool stem, double recall1, double precision1, double f1, double recall2, double precision2, double f2)
    {
        RougeScores scores = One(prediction, target, stem);
        Is(scores.Rouge1, recall1, precision1, f1, 5e-6);
        Is(scores.Rouge2, recall2, precision2, f2, 5e-6);
        Is(scores.RougeL, recall1, precision1, f1, 5e-6);
    }

    [Fact, Trait("Kind", "golden")] // rouge_scorer_test.py: testRougeLSumAgainstRouge155WithStemming
    public void Lsum_FourSentences_IsThatOfRouge155()
        => Is(One(string.Join('\n', Prediction0, Prediction1, Prediction2, Prediction3), string.Join('\n', Target0, Target1, Target2, Target3), stem: true).RougeLsum, 0.36538, 0.66667, 0.47205, 5e-6);

    [Fact, Trait("Kind", "golden")] // rouge_scorer_test.py: testRougeLsum; the example of section 3.2 of Lin 2004
    public void Lsum_PapersExample_IsUnionOfSubsequences()
    {
        Is(One("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5").RougeLsum, 0.8, 0.4, 1.6 / 3);
        Is(One("/", "w1 w2 w3 w4 w5").RougeLsum, 0, 0, 0);
        Is(One("w1", "").RougeLsum, 0, 0, 0);
    }

    [Theory, Trait("Kind", "golden")] // examples of Porter 1980 and of NLTK's page on stemmers
    [InlineData("caresses ponies caress cats feed plastered motoring sing conflated troubled sized hopping tanned falling hissing fizzed failing filing happy sky", "caress poni caress cat feed plaster motor sing conflat troubl size hop tan fall hiss fizz fail file happi sky")]
    [InlineData("relational conditional rational valenci digitizer conformabli radicalli differentli vileli analogousli vietnamization operator feudalism decisiveness hopefulness formaliti sensitiviti sensibiliti", "relat condit ration valenc digit conform radic differ vile analog vietnam oper feudal decis hope formal sensit sensibl")]
    [InlineData("triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference airliner adjustable defensible irritant replacement adjustment dependent adoption communism activate effective bowdlerize probate rate cease controll roll", "triplic form formal electr electr hope good reviv allow infer airlin adjust defens irrit replac adjust depend adopt commun activ effect bowdler probat rate ceas control roll")]
    [InlineData("flies dies mules denied died agreed owned humbled meeting stating siezing itemization sensational traditional reference colonizer plotted", "fli die mule deni die agre own humbl meet state siez item sensat tradit refer colon plot")]
    public void Stem_Word_IsPublished(string words, string stems) => Assert.Equal(stems, string.Join(' ', words.Split(' ').Select(PorterStemmer.Stem)));

    [Fact, Trait("Kind", "analytic")]
    public void Tokenize_ChineseCharacters_AreWordsWhenAsked()
    {
        Assert.Equal(["3", "5gb"], new Rouge().Tokenize("价格：3.5GB，很好"));
        Assert.Equal(["价", "格", "3", "5gb", "很", "好", "𠮷"], new Rouge(new RougeOptions { ChineseCharacters = true }).Tokenize("价格：3.5GB，很好𠮷"));
        Is(new Rouge(new RougeOptions { ChineseCharacters = true }).Score(["很好吃"], ["很不好"]).RougeL, 2.0 / 3, 2.0 / 3, 2.0 / 3);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Score_Corpus_IsMeanOverSegmentsOfTheBestReference()
    {
        RougeScores scores = new Rouge().Score(["a b", "c d"], [["x y", "a b"], ["c x"]]);
        Is(scores.Rouge1, 0.75, 0.75, 0.75);
        Assert.Equal(0.5, scores.Rouge1.F1.Low);
        Assert.Equal(1, scores.Rouge1.F1.High);
    }

    [Fact, Trait("Kind", "property")]
    public void Score_AnyText_IsBoundedPerfectForItselfAndSwapsPrecisionAndRecall()
    {
        Gen<string> text = Gen.Char["ab c\n"].Array[0, 30].Select(c => new string(c));
        Gen.Select(text, text).Sample((x, y) =>
        {
            RougeScores forth = One(x, y), back = One(y, x), self = One("a " + x, "a " + x);
            foreach (var (a, b) in ((RougeScore, RougeScore)[])[(forth.Rouge1, back.Rouge1), (forth.Rouge2, back.Rouge2), (forth.RougeL, back.RougeL)])
            {
                Assert.Equal(a.Precision.Value, b.Recall.Value, 12);
                Assert.Equal(a.F1.Value, b.F1.Value, 12);
                Assert.InRange(a.F1.Value, 0, 1);
            }

            Assert.Equal(1, self.Rouge1.F1.Value);
            Assert.Equal(1, self.RougeL.F1.Value);
            Assert.Equal(1, self.RougeLsum.F1.Value);
            // A subsequence is made of common words.
            Assert.True(forth.RougeL.F1.Value <= forth.Rouge1.F1.Value + 1e-12);
            Assert.True(forth.RougeLsum.F1.Value <= forth.Rouge1.F1.Value + 1e-12);
        }, iter: 500);
    }
}
