using Candela.Runs;

namespace Candela.Energy;

/// <summary>Where electricity comes from and what it emits.</summary>
/// <param name="Id">What <c>--region</c> takes: <c>world</c>, <c>eu</c> or an ISO 3166 two-letter code in lower case.</param>
/// <param name="Name">For people.</param>
/// <param name="GramsPerKilowattHour">Grams of CO2 equivalent per kWh generated, over the life cycle of the plants.</param>
/// <param name="Year">Of the figure.</param>
public sealed record CarbonRegion(string Id, string Name, double GramsPerKilowattHour, int Year);

/// <summary>Average carbon intensity of electricity by region. Source: Ember, Yearly Electricity Data (2024 edition, CC BY 4.0), with the Energy Institute's Statistical Review for some
/// countries, as processed by Our World in Data (series "carbon intensity of electricity generation"). The EU's figure is the mean of its 27 members' weighted by generation.</summary>
/// <remarks>A yearly average: the hour and the place within a country can differ by a factor of two and more. Transmission losses (typically 5 to 8 %) are not included.</remarks>
public static class CarbonIntensity
{
    /// <summary>Every region known.</summary>
    public static IReadOnlyList<CarbonRegion> Regions { get; } =
    [
        new("world", "World", 480.8, 2023),
        new("eu", "European Union (27)", 243.8, 2023),
        new("au", "Australia", 548.7, 2023),
        new("at", "Austria", 110.8, 2023),
        new("be", "Belgium", 138.1, 2023),
        new("br", "Brazil", 98.3, 2023),
        new("ca", "Canada", 170.0, 2023),
        new("ch", "Switzerland", 34.8, 2023),
        new("cn", "China", 582.3, 2023),
        new("cz", "Czechia", 449.7, 2023),
        new("de", "Germany", 381.0, 2023),
        new("dk", "Denmark", 151.7, 2023),
        new("es", "Spain", 174.1, 2023),
        new("fi", "Finland", 79.2, 2023),
        new("fr", "France", 56.0, 2023),
        new("gb", "United Kingdom", 237.6, 2023),
        new("ie", "Ireland", 290.8, 2023),
        new("in", "India", 713.4, 2023),
        new("it", "Italy", 330.7, 2023),
        new("jp", "Japan", 485.4, 2023),
        new("kr", "South Korea", 430.6, 2023),
        new("mx", "Mexico", 507.2, 2023),
        new("nl", "Netherlands", 267.6, 2023),
        new("no", "Norway", 30.1, 2023),
        new("pl", "Poland", 661.9, 2023),
        new("pt", "Portugal", 165.6, 2023),
        new("se", "Sweden", 40.7, 2023),
        new("sg", "Singapore", 470.8, 2023),
        new("tr", "Türkiye", 464.6, 2023),
        new("tw", "Taiwan", 642.4, 2023),
        new("us", "United States", 369.5, 2023),
        new("za", "South Africa", 707.7, 2023),
    ];

    /// <summary>The region with this id, ignoring case.</summary>
    /// <exception cref="UsageException">There is none; the message names the nearest and lists all.</exception>
    public static CarbonRegion Of(string region)
        => Regions.FirstOrDefault(r => string.Equals(r.Id, region, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException($"There is no carbon intensity for region '{region}'.{NearestName.Hint(region, Regions.Select(r => r.Id))} Known: {string.Join(", ", Regions.Select(r => r.Id))}.");

    /// <summary>Emissions of <paramref name="joules"/> used in a region: grams = joules / 3,600,000 x intensity.</summary>
    public static CarbonRecord Estimate(string region, double joules)
    {
        CarbonRegion found = Of(region);
        return new CarbonRecord(found.Id, found.GramsPerKilowattHour, joules / 3_600_000 * found.GramsPerKilowattHour);
    }
}
