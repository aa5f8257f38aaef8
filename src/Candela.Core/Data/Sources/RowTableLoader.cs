using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>Reads a file of rows into a table: looks at its first rows to choose each column's kind, then goes through it once. Only when a guessed kind turns out too narrow
/// (a column constant in a sorted file's first rows, say) are more rows looked at and the pass begun again. A file that comes after another is read by the other's schema:
/// only the columns of <paramref name="like"/>, in their kinds, nothing guessed.</summary>
internal sealed class RowTableLoader(RowSource source, TableOptions options, TableSchema? like = null, CancellationToken cancellation = default)
{
    public const long ChunkTextBytes = 32L << 20;
    private const int HeadRows = 65_536;
    private const long HeadCharacters = 16L << 20;

    private readonly MissingMarks _missing = new(options.MissingMarks);
    private readonly int[] _places = like is null ? [.. Enumerable.Range(0, source.Names.Count)] : TableScan.Places(source, like);
    private readonly IReadOnlySet<string> _unused = (like is null ? options.Unused?.Invoke(source.Names) : null) ?? new HashSet<string>();
    private readonly HashSet<string> _unchecked = [];
    private readonly ColumnSketch[] _sketches = [.. source.Names.Select(n => new ColumnSketch(n, new MissingMarks(options.MissingMarks)))];

    public Table Load()
    {
        if (like is null)
        {
            CheckKinds();
            using RowReader head = source.Open();
            Look(head, alreadyOnRow: false);
        }

        if (like is null && _sketches[0].Rows == 0)
            throw NoRow();
        ColumnPlan[] plans = like is null ? Plan() : TableScan.Plans(source, like, _places, _missing);
        for (int passes = 0; ; passes++)
        {
            var store = new ChunkStore(options.MemoryBudget);
            try
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                Surprise? surprise = Fill(store, plans, hash);
                if (surprise == null)
                {
                    if (store.Rows == 0)
                        throw NoRow();
                    if (plans.All(p => p.AllMissing))
                        throw new DataException($"{source.Path}: every cell of its {store.Rows} rows is missing; there is nothing to learn from.");
                    return new Table(store, Schema(plans, store), Convert.ToHexStringLower(hash.GetHashAndReset()), cancellation: cancellation);
                }

                store.Dispose();
                plans = Replan(plans, surprise, passes);
            }
            catch
            {
                store.Dispose();
                throw;
            }
        }
    }

    private TableSchema Schema(ColumnPlan[] plans, ChunkStore store) =>
        like ?? new TableSchema([.. plans.Select((p, i) => new ColumnSchema(p.Name, store.Fractions.Contains(i) && !p.Given && p.Kind == ColumnKind.Integer ? ColumnKind.Number : p.Kind, p.Note) { Date = p.Kind == ColumnKind.Date ? p.Date : null })]) { Reading = source.Reading };

    private DataException NoRow() => new($"{source.Path}: there is no data row; a table with at least one row is needed.");

    private void CheckKinds()
    {
        foreach ((string name, ColumnKind kind) in options.Kinds)
        {
            if (!source.Names.Contains(name))
                throw new DataException($"{source.Path}: a kind is given for '{name}', which is no column.{NearestName.Hint(name, source.Names)} Columns: {string.Join(", ", source.Names)}.");
            if (kind == ColumnKind.Image)
                throw new DataException($"{source.Path}: column '{name}' cannot be of kind image; images come from a folder of PNG or JPEG files or an IDX file.");
        }
    }

    private void Look(RowReader reader, bool alreadyOnRow)
    {
        long characters = 0;
        for (int rows = 0; rows < HeadRows && characters < HeadCharacters; rows++)
        {
            if ((!alreadyOnRow || rows > 0) && !reader.Read())
                return;
            for (int i = 0; i < _sketches.Length; i++)
            {
                ReadOnlySpan<char> cell = reader.Cell(i);
                characters += cell.Length + 1;
                _sketches[i].Add(cell);
            }
        }
    }

    private ColumnPlan[] Plan() => [.. _sketches.Select(s =>
    {
        if (_unchecked.Contains(s.Name))
            return new ColumnPlan(s.Name, ColumnKind.Text, "not used, and not checked");
        ColumnPlan inferred = KindInference.Choose(s);
        return !options.Kinds.TryGetValue(s.Name, out ColumnKind kind) ? inferred
            : new ColumnPlan(s.Name, kind, "as given") { Given = true, Date = s.Date.Form, Numeric = kind == ColumnKind.Boolean && inferred.Numeric };
    })];

    private ColumnPlan[] Replan(ColumnPlan[] before, Surprise surprise, int passes)
    {
        ColumnPlan[] plans = Plan();
        ColumnPlan changed = plans[surprise.Column];
        if (_unchecked.Contains(changed.Name))
            return plans;
        if (changed.Kind == before[surprise.Column].Kind && changed.Date == before[surprise.Column].Date)
        {
            // More rows did not tell: take the kind that holds anything.
            plans[surprise.Column] = new ColumnPlan(changed.Name, ColumnKind.Text, $"not {changed.Kind.ToString().ToLowerInvariant()} throughout: line {surprise.Line} has '{Shorten(surprise.Cell)}'");
        }

        if (passes > 2 + (2 * plans.Length))
            throw new DataException($"{source.Path}: the kind of column '{changed.Name}' keeps changing along the file; give it with --type {changed.Name}=text (or category, number).");
        return plans;
    }

    private Surprise? Fill(ChunkStore store, ColumnPlan[] plans, IncrementalHash hash)
    {
        var builders = new ColumnBuilder[plans.Length];
        for (int i = 0; i < plans.Length; i++)
            builders[i] = ColumnBuilder.For(plans[i], _missing, Table.ChunkRows, packed: true);
        var schema = new TableSchema([.. plans.Select(p => new ColumnSchema(p.Name, p.Kind, p.Note))]);
        using RowReader reader = source.Open(hash);
        int rows = 0;
        while (reader.Read())
        {
            if ((rows & 1023) == 0)
                cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < builders.Length; i++)
            {
                CellFault fault = builders[i].Add(reader.Cell(_places[i]));
                if (fault != CellFault.None && _unused.Contains(plans[i].Name))
                {
                    _unchecked.Add(plans[i].Name);
                    return new Surprise(i, reader.Line, "");
                }

                if (fault == CellFault.Bad || (fault == CellFault.Surprise && like != null))
                    throw CellErrors.Bad(source, reader, plans[i], reader.Cell(_places[i]));
                if (fault == CellFault.Surprise)
                {
                    var surprise = new Surprise(i, reader.Line, reader.Cell(i).ToString());
                    Look(reader, alreadyOnRow: true);
                    return surprise;
                }
            }

            if (++rows == Table.ChunkRows || ((rows & 255) == 0 && TextBytes(builders) > ChunkTextBytes))
            {
                Complete(store, schema, builders);
                rows = 0;
            }
        }

        if (rows > 0)
            Complete(store, schema, builders);
        for (int i = 0; i < builders.Length; i++)
            if (builders[i] is NumberBuilder { AllWhole: false })
                store.Fractions.Add(i);
        return null;
    }

    private static long TextBytes(ColumnBuilder[] builders)
    {
        long bytes = 0;
        foreach (ColumnBuilder builder in builders)
            bytes += builder.TextBytes;
        return bytes;
    }

    private static void Complete(ChunkStore store, TableSchema schema, ColumnBuilder[] builders)
    {
        bool lend = store.Spilling;
        store.Add(new TableChunk(schema, [.. builders.Select(b => b.Complete(lend))], store.Rows));
    }

    private static string Shorten(string cell) => cell.Length <= 40 ? cell : cell[..37] + "...";

    private sealed record Surprise(int Column, long Line, string Cell);
}
