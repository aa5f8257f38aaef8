using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A layer with a weight matrix that a low-rank update can be added to.</summary>
internal interface ILowRankHost
{
    /// <summary>[out, in], or [in, out] where <see cref="IsTransposed"/>.</summary>
    LayerParameter Weight { get; }

    /// <summary>The offset, or null.</summary>
    LayerParameter? Bias { get; }

    /// <summary>Whether the weight is stored [in, out].</summary>
    bool IsTransposed { get; }

    /// <summary>Added to the outputs; null for none.</summary>
    LowRankUpdate? Update { get; set; }
}

/// <summary>A matrix of a low-rank update, key <c>weight</c> [out, in].</summary>
internal sealed class LowRankMatrix(int outputs, Initializer initializer) : Layer
{
    private LayerParameter? _weight;

    public override string TypeId => "low-rank-matrix";

    public Tensor Value => _weight!.Value;

    public LayerParameter Matrix => _weight!;

    public override Shape OutputShape(Shape input) => input.WithLast(outputs);

    protected override void OnBuild(Shape input) => _weight = Parameter("weight", [outputs, input.Last], initializer, decays: true);

    protected override Tensor Compute(Tensor input) => nn.functional.linear(input, Value);
}

/// <summary>W x + scale B A x: the trained part beside a frozen weight. Source: Hu et al. 2021.</summary>
internal sealed class LowRankUpdate : IDisposable
{
    private readonly Layer _host;
    private readonly ILowRankHost _target;

    /// <summary>Attaches A, B and the dropout to the host under PEFT's names.</summary>
    /// <param name="host">A layer that is an <see cref="ILowRankHost"/>.</param>
    /// <param name="rank">Rows of A.</param>
    /// <param name="scale">Factor of the update.</param>
    /// <param name="dropout">Of what A reads, in training.</param>
    public LowRankUpdate(Layer host, int rank, double scale, double dropout)
    {
        (_host, _target, Scale) = (host, (ILowRankHost)host, scale);
        Tensor weight = _target.Weight.Value;
        (int inputs, int outputs) = _target.IsTransposed ? ((int)weight.size(0), (int)weight.size(1)) : ((int)weight.size(1), (int)weight.size(0));
        // PyTorch's kaiming_uniform_(a = sqrt(5)), which the authors' code uses: within 1 / sqrt(inputs).
        A = new LowRankMatrix(rank, Initializers.Uniform(-1 / Math.Sqrt(inputs), 1 / Math.Sqrt(inputs)));
        B = new LowRankMatrix(outputs, Initializers.Zeros);
        Dropout = new Dropout(dropout);
        A.BuildOnly([inputs]);
        B.BuildOnly([rank]);
        Dropout.BuildOnly([inputs]);
        foreach (Layer part in new Layer[] { A, B, Dropout })
        {
            if (weight.device_type != TorchSharp.DeviceType.CPU || weight.dtype != ScalarType.Float32)
                part.to(weight.device).to(weight.dtype);
            part.train(host.training);
        }

        host.Attach("lora_A", A);
        host.Attach("lora_B", B);
        host.Attach("lora_dropout", Dropout);
        _target.Update = this;
    }

    public LowRankMatrix A { get; }

    public LowRankMatrix B { get; }

    /// <summary>Of what A reads.</summary>
    public Dropout Dropout { get; }

    public double Scale { get; }

    public bool IsMerged { get; private set; }

    /// <summary>Adds the update to the host's outputs, in place.</summary>
    public void AddTo(Tensor output, Tensor input)
    {
        if (IsMerged)
            return;
        using Tensor kept = Dropout.call(input), inner = A.call(kept);
        using Tensor rows = inner.reshape(-1, inner.size(-1)), flat = output.view(-1, output.size(-1)), columns = B.Value.t();
        flat.addmm_(rows, columns, beta: 1, alpha: (float)Scale);
    }

    /// <summary>Moves the update into the weight (true) or out of it (false).</summary>
    public void Merge(bool into)
    {
        if (IsMerged == into)
            return;
        using IDisposable quiet = no_grad();
        using TensorScope scope = TensorScope.Begin();
        Tensor first = _target.IsTransposed ? A.Value.t() : B.Value, second = _target.IsTransposed ? B.Value.t() : A.Value;
        _target.Weight.Value.add_(Ops.MatMul(first, second), into ? Scale : -Scale);
        IsMerged = into;
    }

    public void Dispose()
    {
        _target.Update = null;
        _host.DetachAll();
        A.Dispose();
        B.Dispose();
        Dropout.Dispose();
    }
}
