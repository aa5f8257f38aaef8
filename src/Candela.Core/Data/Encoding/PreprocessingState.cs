using System.Text.Json.Serialization;

namespace Candela.Data;

/// <summary>The content of preprocessing.json: all a fitted encoder knows. An encoder is always built from this record, whether just fitted or read back.</summary>
internal sealed record PreprocessingState
{
    public const int CurrentFormat = 1;

    public required int FormatVersion { get; init; }

    public required FeatureRequest Request { get; init; }

    public required Problem Problem { get; init; }

    public required long TrainingRows { get; init; }

    /// <summary>How the training file named its columns; null when the rows came from no file.</summary>
    public TableReading? Reading { get; init; }

    /// <summary>The target column's kind, and how it writes its dates.</summary>
    public ColumnKind? TargetKind { get; init; }

    public DateForm? TargetDate { get; init; }

    /// <summary>Of the training targets; regression only.</summary>
    public TargetState? Target { get; init; }

    /// <summary>Training rows of each class; classification only.</summary>
    public long[]? ClassCounts { get; init; }

    public required ColumnState[] Columns { get; init; }

    public NgramState? Ngrams { get; init; }

    public TokenState? Tokens { get; init; }
}

internal sealed record TargetState(double Mean, double Deviation);

/// <summary>One input column; which of the parts is set depends on its kind and the style.</summary>
internal sealed record ColumnState
{
    public required string Name { get; init; }

    public required ColumnKind Kind { get; init; }

    public NumberState? Number { get; init; }

    public CategoryState? Category { get; init; }

    public DateState? Date { get; init; }

    public PixelState? Pixels { get; init; }
}

/// <param name="Median">Fills missing cells.</param>
/// <param name="Missing">Training rows without a value; an indicator feature when any.</param>
/// <param name="Edges">Ascending edges of the quantile bins; empty when none were asked for.</param>
/// <param name="Plain">Scaling of the number itself, or null when only the logarithm is used.</param>
/// <param name="Log">The signed logarithm of a skewed number, or null.</param>
internal sealed record NumberState(float Median, long Missing, float[] Edges, ScaleState? Plain = null, LogState? Log = null);

internal sealed record ScaleState(double Mean, double Deviation);

/// <param name="Center">m of sign(x - m) ln(1 + |x - m| / s).</param>
/// <param name="Spread">s.</param>
/// <param name="Scale">Mean and deviation of the logarithm.</param>
internal sealed record LogState(double Center, double Spread, ScaleState Scale);

/// <param name="Names">Names with a feature (or a code) of their own, most frequent first.</param>
/// <param name="Other">A feature for all other names follows.</param>
/// <param name="Missing">Training rows without a value; an indicator feature when any.</param>
internal sealed record CategoryState(string[] Names, bool Other, long Missing);

/// <param name="Missing">Training rows without a value.</param>
/// <param name="Days">Scaling of days since 1970-01-01.</param>
/// <param name="Years">Scaling of the calendar year.</param>
/// <param name="Clock">True when the time of day varies.</param>
/// <param name="Form">How the dates are written; null when they came from no file.</param>
internal sealed record DateState(long Missing, ScaleState Days, ScaleState Years, bool Clock, DateForm? Form = null);

/// <param name="Shape">Shape of every image.</param>
/// <param name="Channels">Scaling of each channel, of pixels in 0..1.</param>
internal sealed record PixelState(ImageShape Shape, ScaleState[] Channels);

/// <param name="Buckets">A power of two.</param>
/// <param name="Documents">Training rows.</param>
/// <param name="Frequencies">Rows in which each bucket occurs: little-endian int32, deflated, base64.</param>
internal sealed record NgramState(int Buckets, long Documents, byte[] Frequencies);

/// <param name="Length">Ids per row.</param>
/// <param name="Vocabulary">The tokens of ids 2, 3, ...</param>
internal sealed record TokenState(int Length, string[] Vocabulary);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, MaxDepth = 16,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, AllowDuplicateProperties = false, NewLine = "\n")]
[JsonSerializable(typeof(PreprocessingState))]
internal sealed partial class PreprocessingJson : JsonSerializerContext;
