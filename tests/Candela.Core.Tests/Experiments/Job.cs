using Candela.Experiments;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Experiments;

/// <summary>Experiments that end with the test run.</summary>
internal static class Job
{
    public static Run Train(TrainRequest request, string folder, IReadOnlyList<IModelFamily> families, ExperimentOptions? options = null) =>
        Experiment.Train(request, folder, families, options, TestContext.Current.CancellationToken);

    public static Run Resume(string folder, IReadOnlyList<IModelFamily> families, ExperimentOptions? options = null) =>
        Experiment.Resume(folder, families, options, TestContext.Current.CancellationToken);
}
