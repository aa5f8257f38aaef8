using Candela.Decoding;
using CsCheck;

namespace Candela.Core.Tests.Decoding;

public class StopFilterTests
{
    [Fact]
    [Trait("Kind", "analytic")]
    public void Push_HoldsBackOnlyWhatMayBecomeAStop()
    {
        var filter = new StopFilter(["\n\nQ", "END"]);
        Assert.Equal("abc", filter.Push("abcE"));
        Assert.Equal("Ex", filter.Push("x\n"));
        Assert.Equal("", filter.Push("\n"));
        Assert.Equal("\n", filter.Push("\n"));
        Assert.Null(filter.Found);
        Assert.Equal("", filter.Push("Q and more"));
        Assert.Equal("\n\nQ", filter.Found);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Push_NotHeeded_LetsAStopThatEndedThereStand()
    {
        var filter = new StopFilter(["ab"]);
        Assert.Equal("xab", filter.Push("xab", heeded: false));
        Assert.Equal("y", filter.Push("ya"));
        Assert.Equal("", filter.Push("b"));
        Assert.Equal("ab", filter.Found);
    }

    /// <summary>However the text is cut into pieces: what comes out is the text before the stop string that is complete first, by a search of the whole text.</summary>
    [Fact]
    [Trait("Kind", "property")]
    public void Push_AnyPieces_EqualsASearchOfTheWhole()
    {
        Gen<string> abc = Gen.Char["abc"].Array[0, 12].Select(c => new string(c));
        Gen.Select(Gen.Char["abc"].Array[1, 3].Select(c => new string(c)).Array[1, 3], abc.Array[1, 6]).Sample((stops, pieces) =>
        {
            string whole = string.Concat(pieces), expected = whole;
            for (int end = 1; end <= whole.Length && expected.Length == whole.Length; end++)
                if (stops.Where(s => whole[..end].EndsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length) is { } stop)
                    expected = whole[..(end - stop.Length)];
            var filter = new StopFilter(stops);
            string given = "";
            foreach (string piece in pieces)
            {
                given += filter.Push(piece);
                Assert.StartsWith(given, expected, StringComparison.Ordinal);
                if (filter.Found is not null)
                    break;
            }

            if (filter.Found is null)
                given += filter.Flush();
            Assert.Equal(expected, given);
        });
    }
}
