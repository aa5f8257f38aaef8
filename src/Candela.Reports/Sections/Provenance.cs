using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>What the model is, what the run cost, and how to repeat it.</summary>
internal static class Provenance
{
    public static Markup Model(RunRecord run)
    {
        var settings = new Markup();
        foreach (var (key, value) in run.Chosen.OrderBy(c => c.Key, StringComparer.Ordinal))
            settings.Add($"""<tr><th scope="row"><code>{key}</code></th><td class="text">{value}</td></tr>""");
        string export = run.Exportable ? "It was exported to model.onnx." : run.NotExportable is { } why ? $"It was not exported to ONNX: {why.TrimEnd('.')}." : "It was not exported to ONNX.";
        if (run.Problem.Task is Data.TaskKind.LanguageModel or Data.TaskKind.MaskedLanguageModel or Data.TaskKind.Preference)
            export += " The folder is a Hugging Face model folder: config.json, model.safetensors and tokenizer.json.";
        Markup? table = settings.IsEmpty ? null : Section.Table("Settings it was trained with", Markup.Of($"""<th scope="col">Setting</th><th scope="col">Value</th>"""), settings);
        return Markup.Of($"""<div class="two"><div><pre tabindex="0">{run.Summary.ReplaceLineEndings("\n").TrimEnd()}</pre><p class="note">{Figures.Count(run.Parameters)} trained numbers. {export} Training ended because {Quality.Reason(run.StopReason)}.</p></div>{table}</div>""");
    }

    public static Markup Cost(RunRecord run)
    {
        double joules = run.Energy.Joules, scale = joules > 0 ? run.Carbon.Grams / joules : 0;
        bool measured = run.Energy.Method == "rapl";
        string interval = measured ? "measured" : $"{Figures.Energy(run.Energy.Low)} to {Figures.Energy(run.Energy.High)}", grams = measured ? "" : $"{Figures.Mass(run.Energy.Low * scale)} to {Figures.Mass(run.Energy.High * scale)}";
        string method = run.Energy.Method switch
        {
            "rapl" => "Read from the processor's own counters (RAPL): packages and memory, other processes of the machine included.",
            "cpu-time-model" => "Estimated from the CPU time of this process at 7 W per busy processor; the interval is that of 2 to 20 W, which spans laptops, desktops and servers. Idle power, disks and cooling are not in it.",
            _ => $"Method: {run.Energy.Method}.",
        };
        // Heating water: 4.186 J per gram and kelvin.
        double kelvin = joules / (250 * 4.186);
        string picture = kelvin < 80 ? $"As much heat as warms a cup of water (250 g) by {Figures.Number(kelvin, 2)} °C." : $"As much heat as brings {Figures.Number(kelvin / 80, 2)} cups of water (250 g) from the tap to the boil.";
        return Markup.Of($"""
            {Section.Table("The whole run, every candidate included", Markup.Of($"""<th scope="col">What</th><th scope="col" class="num">Value</th><th scope="col" class="num">95 % interval</th>"""), Markup.Of($"""
            <tr><th scope="row">Wall time</th><td class="num">{Figures.Duration(run.Seconds)}</td><td class="num">–</td></tr>
            <tr><th scope="row">Energy<small>{Figures.KilowattHours(joules)}</small></th><td class="num">{Figures.Energy(joules)}</td><td class="num">{interval}</td></tr>
            <tr><th scope="row">CO₂ equivalent<small>region {run.Carbon.Region}, {Figures.Number(run.Carbon.GramsPerKilowattHour)} g/kWh</small></th><td class="num">{Figures.Mass(run.Carbon.Grams)}</td><td class="num">{(grams.Length > 0 ? grams : "–")}</td></tr>
            """))}
            <p class="note">{method} {picture} Carbon is energy times the region's yearly average intensity (Ember); set yours with <code>--region</code>.</p>
            """);
    }

    public static Markup Reproduce(RunRecord run)
    {
        var rows = new Markup();
        Row("Seed", run.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Row("Data", run.Data);
        Row("SHA-256 of the data", run.DataHash);
        foreach (var (name, version) in run.Versions)
            Row(name, version);
        return Markup.Of($"""<p>In the directory the run was started from (the paths in its recipe are relative to it), with the same data; <code>{run.Name}</code> stands for the path of this folder:</p><pre tabindex="0">candela train --recipe {run.Name}/recipe.yaml --out again</pre>{Section.Table("What the result depends on", Markup.Of($"""<th scope="col">What</th><th scope="col">Value</th>"""), rows)}<p class="note">The recipe holds every option. On the same engine version and number of threads the weights come out the same, bit for bit.</p>""");

        void Row(string name, string value) => rows.Add($"""<tr><th scope="row">{name}</th><td class="text"><code class="name">{value}</code></td></tr>""");
    }
}
