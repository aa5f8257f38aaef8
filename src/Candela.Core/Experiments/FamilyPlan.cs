using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>Which families a run fits.</summary>
/// <param name="Rivals">Those to choose from; one when it was asked for by name.</param>
/// <param name="Companions">Fitted for comparison only.</param>
/// <param name="Unfit">Why the others were not considered, by id.</param>
internal sealed record FamilyPlan(IReadOnlyList<IModelFamily> Rivals, IReadOnlyList<IModelFamily> Companions, IReadOnlyDictionary<string, string> Unfit)
{
    public static FamilyPlan Make(DataParts parts, TrainRequest request, IReadOnlyList<IModelFamily> families, ExperimentOptions options)
    {
        var plan = Choose(parts, request, families, options);
        if (request.Model != "auto" && !plan.Rivals[0].TakesSteps && request.Fit.Device is not ("auto" or "cpu"))
            throw new UsageException($"The model '{request.Model}' is trained on the CPU only; --device {request.Fit.Device} would do nothing. Leave it out, or choose a net.");
        foreach (var family in plan.Rivals.Concat(plan.Companions))
            family.CheckOptions(request.Fit);
        foreach (var family in plan.Rivals)
            family.CheckSequence(request.Sequence);
        return plan;
    }

    private static FamilyPlan Choose(DataParts parts, TrainRequest request, IReadOnlyList<IModelFamily> families, ExperimentOptions options)
    {
        string? WhyNot(IModelFamily family) => family.WhyNot(parts.Problem, parts.InputSchema, parts.Count(Part.Train));
        if (request.Model != "auto")
        {
            var asked = families.First(f => f.Id == request.Model);
            if (WhyNot(asked) is { } reason)
                throw new UsageException($"The model '{asked.Id}' cannot be trained on this data: {reason}. Choose another --model, or auto.");
            var companions = options.Compare ? families.Where(f => f != asked && Experiment.Comparators.Contains(f.Id) && WhyNot(f) is null) : [];
            return new FamilyPlan([asked], [.. companions], new Dictionary<string, string>());
        }

        var rivals = new List<IModelFamily>();
        var unfit = new Dictionary<string, string>();
        foreach (var family in families.Where(f => f.ConsideredByAuto))
        {
            if (WhyNot(family) is { } reason)
                unfit[family.Id] = reason;
            else
                rivals.Add(family);
        }

        return rivals.Count > 0 ? new FamilyPlan(rivals, [], unfit)
            : throw new UsageException($"No family can be trained on this data: {string.Join("; ", unfit.Select(u => $"{u.Key}: {u.Value}"))}.");
    }
}
