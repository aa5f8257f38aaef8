using Candela.Data;

namespace Candela.Experiments;

/// <summary>Counts test rows that also occur, cell for cell, among the training rows: a model that remembers looks better on them than it is.</summary>
internal static class SplitLeak
{
    private const long MostRows = 1_000_000;
    private const double WorthSaying = 0.01;

    /// <summary>Warns when at least 1 % (and at least two) of the test rows have a twin. Larger tables than a million rows are not checked.</summary>
    public static void Check(DataParts parts, Session session)
    {
        long tests = parts.Count(Part.Test);
        if (tests == 0 || parts.Count(Part.Train) > MostRows)
            return;
        var waiting = new Dictionary<ulong, int>();
        using (var sample = parts.Sample(Part.Test, session.Request.Fit.Seed))
        {
            tests = sample.Rows;
            ForEachRow(sample, parts, null, hash => waiting[hash] = waiting.GetValueOrDefault(hash) + 1);
        }

        int twins = 0;
        ForEachRow(parts.Table, parts, parts.Split, hash =>
        {
            if (waiting.Remove(hash, out int count))
                twins += count;
        });
        if (twins >= 2 && twins >= WorthSaying * tests)
            session.Warn("duplicate-rows-across-splits", $"{twins:N0} of {tests:N0} test rows equal a training row in every input and the target: the test is easier than new data would be. Remove duplicate rows, or give --test FILE.");
    }

    private static void ForEachRow(Table table, DataParts parts, TableSplit? train, Action<ulong> use)
    {
        foreach (var chunk in table.Chunks())
        {
            var hashes = new ulong[chunk.Rows];
            foreach (string name in parts.Inputs.Append(parts.Problem.Target))
                Mix(chunk.Column(name), hashes);
            for (int row = 0; row < hashes.Length; row++)
                if (train is null || train[chunk.FirstRow + row] == Part.Train)
                    use(hashes[row]);
        }
    }

    private static void Mix(TableColumn column, ulong[] hashes)
    {
        ulong[] names = column is CategoryColumn c ? [.. c.Names.Select(Hash)] : []; // codes differ between files, names do not
        for (int row = 0; row < hashes.Length; row++)
        {
            ulong cell = column switch
            {
                NumberColumn n => BitConverter.SingleToUInt32Bits(n.Values[row]),
                CategoryColumn k => k.Codes[row] < 0 ? 0 : names[k.Codes[row]],
                TextColumn t => t.Values[row] is { } text ? Hash(text) : 0,
                ImageColumn i => Hash(i.At(row)),
                _ => 0,
            };
            hashes[row] = Rng.Mix((hashes[row] * 31) + cell + 0x9E3779B97F4A7C15UL);
        }
    }

    private static ulong Hash(string text) => Hash(System.Runtime.InteropServices.MemoryMarshal.AsBytes(text.AsSpan()));

    // FNV-1a.
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes)
            hash = (hash ^ b) * 1099511628211;
        return hash;
    }
}
