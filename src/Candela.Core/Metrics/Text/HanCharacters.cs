namespace Candela.Metrics;

/// <summary>Chinese characters: the unified ideographs with their extensions, and the compatibility ideographs.</summary>
internal static class HanCharacters
{
    public static bool Contains(int p) => p is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF) or 0x3005 or 0x3007;
}
