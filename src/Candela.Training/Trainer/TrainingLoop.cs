using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Training;

/// <summary>How a training run went.</summary>
/// <param name="StopReason">Why it ended.</param>
/// <param name="History">One entry per epoch.</param>
/// <param name="BestEpoch">The epoch whose weights the model has now; -1 when nothing was validated and it has the last ones.</param>
/// <param name="Steps">Steps taken in all.</param>
public sealed record TrainingOutcome(StopReason StopReason, IReadOnlyList<EpochEnded> History, int BestEpoch, long Steps);

/// <summary>The training loop every engine shares: batches, accumulation, clipping, optimiser, schedule, weight average, validation with the best weights kept, stop rules,
/// progress, and exact resume. Two runs with the same model, data, plan and threads have bit-equal weights, however often one of them was interrupted.</summary>
public static class TrainingLoop
{
    /// <summary>Trains, going on from a saved state if the session's folder holds one. Afterwards the model has the weights of the best validated epoch, or without
    /// validation rows the last (or averaged) ones.</summary>
    /// <typeparam name="TBatch">What the model is given at once: encoded rows, or token sequences.</typeparam>
    /// <param name="model">Has its first weights.</param>
    /// <param name="train">Training rows.</param>
    /// <param name="valid">Validation rows, or null.</param>
    /// <param name="plan">All settings.</param>
    /// <param name="session">Listeners, folder, clock, cancellation; null for none.</param>
    /// <exception cref="OperationCanceledException">The session's token was cancelled; a state has been saved if there is a folder.</exception>
    /// <exception cref="DataException">There are no training rows.</exception>
    /// <exception cref="DivergedException">The loss or a weight stopped being finite before any epoch ended with finite ones. Later, the best or else the last finite epoch's weights are kept, with a warning.</exception>
    /// <exception cref="UsageException">A saved state belongs to another run.</exception>
    public static TrainingOutcome Run<TBatch>(ITrainable<TBatch> model, IBatchSource<TBatch> train, IBatchSource<TBatch>? valid, TrainingPlan plan, TrainingSession? session = null)
        where TBatch : class, IBatch => new LoopRun<TBatch>(model, train, valid, plan, session ?? new TrainingSession()).Run();
}

/// <summary>One call of <see cref="TrainingLoop.Run"/>.</summary>
internal sealed class LoopRun<TBatch>
    where TBatch : class, IBatch
{
    private readonly ITrainable<TBatch> _model;
    private readonly IBatchSource<TBatch> _train;
    private readonly IBatchSource<TBatch>? _valid;
    private readonly TrainingPlan _plan;
    private readonly TrainingSession _session;
    private readonly Optimizer _optimizer;
    private readonly Schedule _schedule;
    private readonly StopJudge _judge;
    private readonly CheckpointStore? _store;
    private readonly StepReporter _reporter;
    private readonly DeadWeights _dead;
    private readonly long _rows, _totalSteps, _batchesPerEpoch, _batchesPerStep;
    private readonly List<EpochEnded> _history = [];
    private readonly ModelAverage<TBatch>? _average;
    private float[]? _best, _fallback;
    private IReadOnlyDictionary<string, float[]> _bestBuffers = new Dictionary<string, float[]>(), _fallbackBuffers = new Dictionary<string, float[]>();
    private BatchLoss _epochLoss;
    private long _step, _batch, _savedAt;
    private int _epoch;

    public LoopRun(ITrainable<TBatch> model, IBatchSource<TBatch> train, IBatchSource<TBatch>? valid, TrainingPlan plan, TrainingSession session)
    {
        plan.Check();
        if (train.Count == 0)
            throw new DataException("There are no training rows. Give more data, or a smaller share for validation and test.");
        (_model, _train, _valid, _plan, _session) = (model, train, valid is { Count: > 0 } ? valid : null, plan, session);
        long rest = train.Count % plan.BatchSize;
        _rows = rest < model.FewestRows && train.Count > plan.BatchSize ? train.Count - rest : train.Count;
        (_totalSteps, _batchesPerEpoch, _batchesPerStep) = (plan.TotalSteps(_rows), plan.BatchesPerEpoch(_rows), plan.BatchesPerStep(_rows));
        _optimizer = Optimizer.Create(plan.Optimizer, model.Segments);
        _schedule = plan.CreateSchedule(_totalSteps);
        _judge = new StopJudge(plan.StopRules, session.Clock, session.Meter);
        _store = session.CheckpointFolder is null ? null : new CheckpointStore(session.CheckpointFolder);
        _average = plan.Ema > 0 ? new ModelAverage<TBatch>(model, plan.Ema) : null;
        _reporter = new StepReporter(session.Events, session.Clock, _totalSteps);
        _dead = new DeadWeights(model.Segments);
        _savedAt = session.Clock.GetTimestamp();
    }

    public TrainingOutcome Run()
    {
        StopReason? reason = Resume();
        _dead.BeginEpoch(_step, resumed: true);
        while (reason is null)
            reason = _plan.Optimizer is LbfgsOptions ? RunFullBatch() : RunEpoch();
        if (_best is not null)
        {
            _best.CopyTo(_model.Parameters);
            _model.LoadBuffers(_bestBuffers);
        }
        else
        {
            if (_average is not null)
            {
                _average.Weights.CopyTo(_model.Parameters);
                _model.LoadBuffers(_average.Buffers());
            }

            if (reason == StopReason.Diverged || !AllFinite(_model.Parameters))
            {
                if (_fallback is null)
                    throw new DivergedException($"A weight is not finite after {_step} steps. Lower the learning rate, clip gradients, or look at the scale of inputs and targets.");
                if (reason != StopReason.Diverged)
                    _session.Events?.Report(new Warned("weight-not-finite", $"A weight is not finite after {_step} steps: those of the last epoch that ended with finite ones are kept."));
                reason = StopReason.Diverged;
                _fallback.CopyTo(_model.Parameters);
                _model.LoadBuffers(_fallbackBuffers);
            }
        }

        return new TrainingOutcome(reason.Value, _history, _best is null ? -1 : _judge.BestEpoch, _step);
    }

    private StopReason? RunEpoch()
    {
        var order = new BatchPlan(_plan.BatchSize) { ShuffleSeed = _plan.Shuffle ? _plan.Seed : null, Epoch = _epoch, Skip = _batch };
        long inStep = 0, rowsOfStep = 0;
        double weightOfStep = 0;
        BatchLoss stepLoss = default;
        foreach (TBatch batch in _train.Batches(order))
        {
            if (_batch == _batchesPerEpoch)
                break; // too few rows are left
            if (inStep == 0)
            {
                _session.Cancellation.ThrowIfCancellationRequested(Save);
                rowsOfStep = Math.Min(_batchesPerStep * _plan.BatchSize, _rows - (_batch * _plan.BatchSize));
                stepLoss = default;
            }

            double weight = _model.WeightOf(batch);
            stepLoss += _model.Differentiate(batch, (_step * _batchesPerStep) + inStep, accumulate: inStep > 0, gradientScale: batch.Count == rowsOfStep ? 1 : weight / rowsOfStep);
            weightOfStep = inStep == 0 ? weight : weightOfStep + weight;
            _batch++;
            if (++inStep < _batchesPerStep && _batch < _batchesPerEpoch)
                continue;
            if (inStep > 1)
                Rescale(rowsOfStep, weightOfStep);
            inStep = 0;
            double rate = _schedule.RateAt(_step), norm = _optimizer.Step(_model.Parameters, _model.Gradients, rate, _plan.ClipNorm);
            if (EndStep(stepLoss, norm, rate, rowsOfStep) is { } reason)
                return reason == StopReason.Diverged ? Finish(reason) : EndEpoch(reason);
            if (_session.CheckpointEvery > TimeSpan.Zero && _batch < _batchesPerEpoch && _session.Clock.GetElapsedTime(_savedAt) >= _session.CheckpointEvery)
                Save();
        }

        return EndEpoch(null);
    }

    // One epoch of a line-searching optimiser: one step, whose loss is that of all rows in a fixed order.
    private StopReason? RunFullBatch()
    {
        _session.Cancellation.ThrowIfCancellationRequested(Save);
        double Loss()
        {
            double sum = 0, weights = 0;
            long batches = 0;
            foreach (TBatch batch in _train.Batches(new BatchPlan(_plan.BatchSize)))
            {
                if (batches == _batchesPerEpoch)
                    break;
                double weight = _model.WeightOf(batch);
                weights += weight;
                sum += weight * _model.Differentiate(batch, (_step * _batchesPerEpoch) + batches, accumulate: batches > 0, gradientScale: weight / _rows).Mean;
                batches++;
            }

            Rescale(_rows, weights);
            return weights > 0 ? sum / weights : 0;
        }

        double rate = _schedule.RateAt(_step), loss = _optimizer.Minimize(_model.Parameters, _model.Gradients, Loss, rate);
        _batch = _batchesPerEpoch;
        StopReason? reason = EndStep(new BatchLoss(loss * _rows, _rows), _optimizer.Norm(_model.Gradients), rate, _rows);
        if (reason is null && _optimizer.Stalled)
            reason = StopReason.GradientNorm;
        return reason == StopReason.Diverged ? Finish(StopReason.Diverged) : EndEpoch(reason);
    }

    private StopReason? EndStep(BatchLoss loss, double norm, double rate, long rows)
    {
        _step++;
        _dead.Look(_step, _model.Gradients);
        _epochLoss += loss;
        _average?.Update();
        if (!double.IsFinite(loss.Sum))
        {
            if (_best is null && _fallback is null)
                throw new DivergedException($"The training loss is {loss.Mean} at step {_step} (learning rate {rate:G3}). Lower the learning rate, clip gradients, or look at the scale of inputs and targets.");
            _session.Events?.Report(new Warned("loss-not-finite", $"The training loss was {loss.Mean} at step {_step} (learning rate {rate:G3}): training ended there and the weights of {(_best is null ? "the last epoch that ended with finite ones" : $"epoch {_judge.BestEpoch}")} are kept."));
            return StopReason.Diverged;
        }

        _reporter.Step(_step, _epoch, loss, norm, rate, rows);
        return _judge.AfterStep(_step, norm);
    }

    private StopReason? EndEpoch(StopReason? reason)
    {
        double rate = _schedule.RateAt(Math.Max(0, _step - 1));
        ValidationResult? result = Validate();
        _schedule.Observe(result?.Loss ?? _epochLoss.Mean);
        StopReason? verdict = _judge.AfterEpoch(_epoch, _epochLoss.Mean, result is null ? null : result.Score ?? -result.Loss, result is null ? 0 : -result.Loss);
        Span<float> kept = _average is null ? _model.Parameters : _average.Weights.AsSpan();
        if (_judge.Improved && _plan.KeepBest && AllFinite(kept))
        {
            _best = kept.ToArray();
            _bestBuffers = KeptBuffers();
            (_fallback, _fallbackBuffers) = (null, new Dictionary<string, float[]>());
        }
        else if (_best is null && (reason ?? verdict) is null or StopReason.Diverged && AllFinite(kept)) // at the end they are in the model itself
        {
            kept.CopyTo(_fallback ??= new float[kept.Length]);
            _fallbackBuffers = KeptBuffers();
        }

        var ended = new EpochEnded(_epoch, _step, _epochLoss.Mean, result?.Loss, result?.Score, rate, _judge.Seconds);
        _history.Add(ended);
        if (_dead.EndEpoch(_step, _epochLoss.Mean) is { } dead)
            _session.Events?.Report(dead);
        _dead.BeginEpoch(_step, resumed: false);
        _session.Events?.Report(ended);
        (_epoch, _batch, _epochLoss) = (_epoch + 1, 0, default);
        if ((reason ?? verdict) is { } end)
            return Finish(end);
        if (_session.CheckpointEvery == TimeSpan.Zero || _session.Clock.GetElapsedTime(_savedAt) >= _session.CheckpointEvery)
            Save();
        return null;
    }

    // Batches were scaled by weight / rows, since the weights of a step's later batches are not known beforehand; the mean is divided by the weights.
    private void Rescale(long rows, double weights)
    {
        if (weights == rows || !(weights > 0))
            return;
        Span<float> gradients = _model.Gradients;
        System.Numerics.Tensors.TensorPrimitives.Multiply(gradients, (float)(rows / weights), gradients);
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (!float.IsFinite(value))
                return false;
        return true;
    }

    private StopReason Finish(StopReason reason)
    {
        _store?.Save(State() with { Finished = reason });
        return reason;
    }

    private IReadOnlyDictionary<string, float[]> KeptBuffers() => _average?.Buffers() ?? _model.SaveBuffers();

    // The averaged weights are what is kept, so they are what is validated.
    private ValidationResult? Validate()
    {
        if (_valid is null)
            return null;
        if (_average is null)
            return _model.Evaluate(_valid);
        float[] weights = _model.Parameters.ToArray();
        IReadOnlyDictionary<string, float[]> buffers = _model.SaveBuffers();
        _average.Weights.CopyTo(_model.Parameters);
        _model.LoadBuffers(_average.Buffers());
        ValidationResult result = _model.Evaluate(_valid);
        weights.CopyTo(_model.Parameters);
        _model.LoadBuffers(buffers);
        return result;
    }

    private void Save()
    {
        _store?.Save(State());
        _savedAt = _session.Clock.GetTimestamp();
    }

    private string Context() => string.Create(CultureInfo.InvariantCulture,
        $"{_session.Context}; rows {_train.Count}+{_valid?.Count ?? 0}; parameters {_optimizer.Length} in {_optimizer.Segments.Count}; {_plan.Fingerprint()}");

    private TrainingCheckpoint State()
    {
        OptimizerState optimizer = _optimizer.Save();
        var tensors = new Dictionary<string, float[]> { ["weights"] = _model.Parameters.ToArray() };
        if (_average is not null)
        {
            tensors["average"] = _average.Weights;
            Put("averageBuffer.", _average.Averages);
        }

        if (_best is not null)
            tensors["best"] = _best;
        if (_fallback is not null)
            tensors["fallback"] = _fallback;
        Put("fallbackBuffer.", _fallbackBuffers);
        Put("optimizer.", optimizer.Buffers);
        Put("buffer.", _model.SaveBuffers());
        Put("bestBuffer.", _bestBuffers);
        return new TrainingCheckpoint
        {
            Context = Context(),
            Step = _step,
            Epoch = _epoch,
            Batch = _batch,
            EpochLoss = _epochLoss,
            Stop = _judge.Save(),
            Schedule = _schedule.Save(),
            OptimizerId = optimizer.Id,
            OptimizerSteps = optimizer.Steps,
            AverageUpdates = _average?.Updates ?? 0,
            History = _history,
            Tensors = tensors,
        };

        void Put(string prefix, IReadOnlyDictionary<string, float[]> values)
        {
            foreach ((string name, float[] value) in values)
                tensors[prefix + name] = value;
        }
    }

    private StopReason? Resume()
    {
        TrainingCheckpoint? state = _store?.Load(Context());
        if (_store?.Damaged is { } damaged)
            _session.Events?.Report(new Warned("checkpoint-damaged", damaged));
        if (state is null)
            return null;
        Dictionary<string, float[]> Take(string prefix) =>
            state.Tensors.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value);
        state.Tensors["weights"].CopyTo(_model.Parameters);
        _model.LoadBuffers(Take("buffer."));
        _optimizer.Load(new OptimizerState(state.OptimizerId, state.OptimizerSteps, Take("optimizer.")));
        _average?.Load(state.Tensors["average"], Take("averageBuffer."), state.AverageUpdates);
        _best = state.Tensors.GetValueOrDefault("best");
        _bestBuffers = Take("bestBuffer.");
        (_fallback, _fallbackBuffers) = (state.Tensors.GetValueOrDefault("fallback"), Take("fallbackBuffer."));
        _schedule.Load(state.Schedule);
        _judge.Load(state.Stop);
        (_step, _epoch, _batch, _epochLoss) = (state.Step, state.Epoch, state.Batch, state.EpochLoss);
        _history.AddRange(state.History);
        _reporter.Resume(_step);
        return state.Finished;
    }
}
