using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>Attention of a block: projections, rotation, heads, output; kept for the way back are the projections' outputs, the heads' outputs and one number per head and token.</summary>
internal sealed unsafe class AttentionPart : IDisposable
{
    private const int Chunk = 64; // rows
    private readonly AttentionParts _parts;
    private readonly AffineOp[] _projections;
    private readonly AffineOp _output;
    private readonly NormOp? _queryNorm, _keyNorm;
    private readonly int[] _columns; // where each projection's outputs begin
    private readonly int _all; // numbers of a row of projections: queries, keys, values
    private readonly int _turned; // of queries and keys
    private ulong _dropoutKey;

    public AttentionPart(AttentionParts parts)
    {
        _parts = parts;
        _projections = [.. parts.Projections.Select(p => new AffineOp(p))];
        _output = new AffineOp(parts.Output);
        if (parts.QueryNorm is { } q)
            _queryNorm = new NormOp(q.Weight, null, q.Epsilon);
        if (parts.KeyNorm is { } k)
            _keyNorm = new NormOp(k.Weight, null, k.Epsilon);
        _columns = new int[_projections.Length];
        for (int i = 1; i < _columns.Length; i++)
            _columns[i] = _columns[i - 1] + _projections[i - 1].Outputs;
        _turned = (parts.Heads + parts.Groups) * parts.HeadWidth;
        _all = _turned + (parts.Groups * parts.HeadWidth);
    }

    public AffineOp Output => _output;

    public bool Trains => _output.Trains || _projections.Any(p => p.Trains) || _queryNorm is { Trains: true } || _keyNorm is { Trains: true };

    public IEnumerable<LayerParameter> Parameters => [.. _projections.SelectMany(p => p.Parameters), .. _output.Parameters, .. _parts.QueryNorm is { } q ? [q.Weight] : Array.Empty<LayerParameter>(), .. _parts.KeyNorm is { } k ? [k.Weight] : Array.Empty<LayerParameter>()];

    /// <summary>Where a pass keeps what the way back needs.</summary>
    public struct Kept
    {
        public Rows Projected, Heads;
        public float* LogSums;
    }

    /// <summary>What a slab needs for a moment.</summary>
    public struct Scratch
    {
        public float* Turned, Statistics, DProjected, DHeads;
    }

    public Kept Keep(ref Carver memory, int rows) => new()
    {
        Projected = new Rows(memory.Take((long)rows * _all), _all),
        Heads = new Rows(memory.Take((long)rows * _output.Inputs), _output.Inputs),
        LogSums = memory.Take((long)rows * _parts.Heads),
    };

    public Scratch Lend(ref Carver memory, int rows, bool backwards) => new()
    {
        Turned = _queryNorm is null ? null : memory.Take((long)rows * _turned),
        Statistics = _queryNorm is null ? null : memory.Take(2L * rows * (_parts.Heads + _parts.Groups)),
        DProjected = backwards ? memory.Take((long)rows * _all) : null,
        DHeads = backwards ? memory.Take((long)rows * _output.Inputs) : null,
    };

    public void Bind(bool training)
    {
        foreach (AffineOp projection in _projections)
            projection.Bind(training);
        _output.Bind(training);
        _queryNorm?.Bind();
        _keyNorm?.Bind();
        _dropoutKey = training && _parts.Dropout is { } dropout ? dropout.NextKey() : 0;
    }

    /// <summary>From the slab's normal rows to its heads' outputs.</summary>
    public void Forward(TransformerPass pass, Rows normal, Kept kept, Scratch scratch, int sequence, int sequences)
    {
        int rows = sequences * pass.Tokens, first = sequence * pass.Tokens;
        Rows projected = kept.Projected.Skip(first);
        for (int i = 0; i < _projections.Length; i++)
        {
            AffineOp projection = _projections[i];
            Rows to = projected.From(_columns[i]);
            projection.Forward(pass.Pool, normal, to, rows, add: false, first);
            if (projection.Bias != null)
                RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) => RowKernels.AddRow(to.Skip(from), projection.Bias, to.Skip(from), count, projection.Outputs));
        }

        Rows turned = Turn(pass, projected, scratch, rows);
        AttentionShape shape = Shape(pass, projected, turned, kept, sequence);
        pass.Pool.Run(sequences * _parts.Groups, (chunk, panels) => AttentionKernels.Forward(shape, chunk, panels));
    }

    /// <summary>From the gradient of the heads' outputs (in scratch) to those of the projections; dNormal becomes the gradient of the normal rows.</summary>
    public void Backward(TransformerPass pass, Rows normal, Rows dNormal, Kept kept, Scratch scratch, int sequence, int sequences)
    {
        int rows = sequences * pass.Tokens, first = sequence * pass.Tokens, width = _parts.HeadWidth;
        Rows projected = kept.Projected.Skip(first), d = new(scratch.DProjected, _all);
        bool again = _queryNorm is not null;
        Rows turned = again ? Turn(pass, projected, scratch, rows) : projected; // without norms they were turned in place
        AttentionShape shape = Shape(pass, projected, turned, kept, sequence);
        shape.DOutput = new Rows(scratch.DHeads, _output.Inputs);
        shape.DQueries = d;
        shape.DKeys = d.From(_parts.Heads * width);
        shape.DValues = d.From(_turned);
        AttentionShape whole = shape;
        pass.Pool.Run(sequences * _parts.Groups, (chunk, panels) => AttentionKernels.Backward(whole, chunk, panels));
        if (pass.Turning > 0)
        {
            RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) =>
            {
                for (int r = from; r < from + count; r++)
                    RowKernels.TurnBack(d[r], pass.Cosines + (r % pass.Tokens * pass.Turning), pass.Sines + (r % pass.Tokens * pass.Turning), _parts.Heads + _parts.Groups, width, pass.Turning);
            });
        }

        if (again)
        {
            for (int h = 0; h < _parts.Heads + _parts.Groups; h++)
                (h < _parts.Heads ? _queryNorm! : _keyNorm!).Backward(pass.Pool, projected.From(h * width), d.From(h * width), d.From(h * width), scratch.Statistics + (2 * rows * h), rows, add: false);
        }

        for (int i = 0; i < _projections.Length; i++)
        {
            Rows part = d.From(_columns[i]);
            _projections[i].WeightGradient(pass.Pool, normal, part, rows, first);
            _projections[i].InputGradient(pass.Pool, part, rows, dNormal, add: i > 0, first);
        }
    }

    public void Dispose()
    {
        foreach (AffineOp projection in _projections)
            projection.Dispose();
        _output.Dispose();
        _queryNorm?.Dispose();
        _keyNorm?.Dispose();
    }

    // Queries and keys as the heads see them: normalised into memory of their own if the layer has norms, and turned.
    private Rows Turn(TransformerPass pass, Rows projected, Scratch scratch, int rows)
    {
        Rows to = projected;
        int heads = _parts.Heads + _parts.Groups, width = _parts.HeadWidth;
        if (_queryNorm is not null)
        {
            to = new Rows(scratch.Turned, _turned);
            for (int h = 0; h < heads; h++)
                (h < _parts.Heads ? _queryNorm : _keyNorm!).Forward(pass.Pool, projected.From(h * width), to.From(h * width), scratch.Statistics + (2 * rows * h), rows);
        }

        if (pass.Turning > 0)
        {
            RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) =>
            {
                for (int r = from; r < from + count; r++)
                    RowKernels.Turn(to[r], pass.Cosines + (r % pass.Tokens * pass.Turning), pass.Sines + (r % pass.Tokens * pass.Turning), heads, width, pass.Turning);
            });
        }

        return to;
    }

    private AttentionShape Shape(TransformerPass pass, Rows projected, Rows turned, Kept kept, int sequence) => new()
    {
        Tokens = pass.Tokens,
        Heads = _parts.Heads,
        Groups = _parts.Groups,
        Width = _parts.HeadWidth,
        Window = _parts.Window,
        Scale = (float)(1 / Math.Sqrt(_parts.HeadWidth)),
        Queries = turned,
        Keys = turned.From(_parts.Heads * _parts.HeadWidth),
        Values = projected.From(_turned),
        Output = kept.Heads.Skip(sequence * pass.Tokens),
        LogSums = kept.LogSums + ((nint)sequence * pass.Tokens * _parts.Heads),
        Dropout = _dropoutKey == 0 ? 0 : _parts.Dropout!.Probability,
        DropoutKey = _dropoutKey,
        FirstSequence = sequence,
    };
}
