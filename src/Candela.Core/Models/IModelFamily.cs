using Candela.Data;
using Candela.Experiments;

namespace Candela.Models;

/// <summary>A kind of model that can be fitted to encoded rows, saved and opened again: linear, mlp, cnn, text, tree, forest, boosting, ...</summary>
public interface IModelFamily
{
    /// <summary>The name used by <c>--model</c> and stored in config.json.</summary>
    string Id { get; }

    /// <summary>One line for people.</summary>
    string Description { get; }

    /// <summary>True when <c>--model auto</c> tries it (wherever <see cref="WhyNot"/> is null); false for families that are only trained when asked for by id.</summary>
    bool ConsideredByAuto { get; }

    /// <summary>True when <see cref="Fit"/> holds all encoded training rows in memory. Such a family is given a bounded, seeded, uniform sample of very large tables. Default false.</summary>
    bool HoldsAllRows => false;

    /// <summary>True when <see cref="Fit"/> takes optimiser steps over batches, so that epochs, batch size, learning rate and the like mean to it what they mean to a net.
    /// Under <c>--model auto</c> only such families are given those options. Default false.</summary>
    bool TakesSteps => false;

    /// <summary>True when <see cref="Fit"/> learns something from the validation rows (when to stop, which weights to keep, a penalty's strength) for so many training rows.
    /// While families are compared by inner folds, one that does not is given those rows to train on. Default true.</summary>
    bool UsesValidation(long trainingRows) => true;

    /// <summary>Null when the family can be trained on such data; otherwise the reason, as a sentence without a full stop.</summary>
    string? WhyNot(Problem problem, TableSchema inputs, long trainingRows);

    /// <summary>The options of training that change what <see cref="Fit"/> does, by recipe key (<see cref="FitOptions.Keys"/>, and those of nets over text); one that is given and heeded by no family of a run is
    /// warned of (<c>option-ignored</c>). Seed, threads and the limits of time and energy need not be named. Default: all.</summary>
    IReadOnlyCollection<string> Heeds => FitOptions.Keys;

    /// <summary>Refuses options that cannot be used whatever the data, a device that is not there above all; called before anything is written. Default: refuses nothing.</summary>
    /// <exception cref="UsageException">An option is out of range.</exception>
    /// <exception cref="EngineException">The device or its package is absent.</exception>
    void CheckOptions(FitOptions options)
    {
    }

    /// <summary>Refuses options of nets over text likewise. Default: refuses nothing.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    /// <exception cref="FileFormatException">The model to start from cannot be read.</exception>
    void CheckSequence(SequenceOptions net)
    {
    }

    /// <summary>How it wants rows encoded.</summary>
    FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows);

    /// <summary>Trains a model. Deterministic for the same context on the same engine and thread count.</summary>
    FitResult Fit(FitContext context);

    /// <summary>Opens a model that <see cref="IFittedModel.Save"/> wrote into <paramref name="folder"/>.</summary>
    IFittedModel Open(string folder, Problem problem, FeatureLayout layout);
}

/// <summary>A trained model over encoded rows. Not for use from several threads at once, nor after it is disposed (<see cref="ObjectDisposedException"/>).</summary>
public interface IFittedModel : IDisposable
{
    /// <summary>The family's id.</summary>
    string Family { get; }

    /// <summary>Trained numbers (weights, or leaf values and thresholds of trees).</summary>
    long ParameterCount { get; }

    /// <summary>Scores a batch into <paramref name="scores"/>, [batch.Count, problem.Outputs]: probabilities or the value in the target's unit.</summary>
    void Score(FeatureBatch batch, Span<float> scores);

    /// <summary>Writes config.json and model.safetensors into an existing folder, each under a temporary name and then renamed.</summary>
    void Save(string folder);

    /// <summary>A few lines for people: layers, shapes, parameters, FLOPs; or trees and depth; or coefficients.</summary>
    string Summary();
}
