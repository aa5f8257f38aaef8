namespace Candela.Metrics;

/// <summary>Longest common subsequences of word numbers.</summary>
internal static class CommonSubsequence
{
    public static int Length(int[] a, int[] b)
    {
        // One row of the table; diagonal is the cell above and to the left.
        var row = new int[b.Length + 1];
        foreach (int word in a)
            for (int j = 1, diagonal = 0; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = word == b[j - 1] ? diagonal + 1 : Math.Max(above, row[j - 1]);
                diagonal = above;
            }

        return row[b.Length];
    }

    /// <summary>Marks the positions in <paramref name="a"/> of one longest common subsequence: of several, the one rouge_score reads out.</summary>
    public static void Mark(int[] a, int[] b, bool[] marks)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (int x = 1; x <= a.Length; x++)
            for (int y = 1; y <= b.Length; y++)
                table[x, y] = a[x - 1] == b[y - 1] ? table[x - 1, y - 1] + 1 : Math.Max(table[x - 1, y], table[x, y - 1]);
        for (int i = a.Length, j = b.Length; i > 0 && j > 0;)
            if (a[i - 1] == b[j - 1])
            {
                marks[--i] = true;
                j--;
            }
            else if (table[i, j - 1] > table[i - 1, j])
                j--;
            else
                i--;
    }
}
