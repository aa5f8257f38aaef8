using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Formats;

namespace Candela.Training;

/// <summary>Keeps the two latest training states of a run in a folder, as <c>training-0.safetensors</c> and <c>training-1.safetensors</c>. A new state replaces the
/// older of the two under a temporary name that is then renamed, and each carries a checksum: a crash at any moment leaves at least one whole state.</summary>
public sealed class CheckpointStore
{
    private const string StateKey = "candela.training", SequenceKey = "candela.sequence";
    private readonly string[] _slots;
    private long _sequence = -1;

    /// <summary>Uses an existing folder; touches nothing yet.</summary>
    public CheckpointStore(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UsageException($"The checkpoint folder {folder} does not exist; create it first.");
        Folder = folder;
        _slots = [Path.Combine(folder, "training-0.safetensors"), Path.Combine(folder, "training-1.safetensors")];
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>A sentence about a state that was found damaged by <see cref="Load"/> and passed over, or null.</summary>
    public string? Damaged { get; private set; }

    /// <summary>The latest whole state, or null when there is none. Removes temporary files a killed run has left.</summary>
    /// <param name="context">What the state must belong to.</param>
    /// <exception cref="FileFormatException">States exist but none is whole; the message names the file.</exception>
    /// <exception cref="UsageException">The state belongs to another context.</exception>
    public TrainingCheckpoint? Load(string context)
    {
        foreach (string left in Directory.EnumerateFiles(Folder, "training-?.safetensors.*.tmp"))
            File.Delete(left);
        TrainingCheckpoint? latest = null;
        FileFormatException? damage = null;
        foreach (string slot in _slots.Where(File.Exists))
        {
            try
            {
                if (Read(slot, out long sequence) is { } state && sequence > _sequence)
                    (latest, _sequence) = (state, sequence);
            }
            catch (FileFormatException error)
            {
                damage = error;
            }
        }

        if (latest is null && damage is not null)
            throw damage;
        Damaged = damage is null ? null : $"{damage.Message} The other saved state, of step {latest!.Step}, is used.";
        if (latest is not null && latest.Context != context)
            throw new UsageException($"{Folder} holds the training state of another run. Saved: {latest.Context}. This run: {context}. Resume with the options it was started with, or choose an empty folder.");
        return latest;
    }

    /// <summary>Saves a state beside the latest one, in place of the one before.</summary>
    public void Save(TrainingCheckpoint state)
    {
        _sequence++;
        var metadata = new Dictionary<string, string>
        {
            [StateKey] = JsonSerializer.Serialize(state, CheckpointJson.Default.TrainingCheckpoint),
            [SequenceKey] = _sequence.ToString(CultureInfo.InvariantCulture),
        };
        Safetensors.Write(_slots[_sequence % 2], state.Tensors.Select(t => new NamedTensor(t.Key, [t.Value.Length], t.Value)), metadata);
    }

    private static TrainingCheckpoint Read(string path, out long sequence)
    {
        using SafetensorsFile file = Safetensors.Open(path);
        if (!file.Metadata.TryGetValue(StateKey, out string? text) || !file.Metadata.TryGetValue(SequenceKey, out string? number) || !long.TryParse(number, CultureInfo.InvariantCulture, out sequence))
            throw new FileFormatException(path, Fault.WrongFormat, "the file is not a training state: its metadata has no candela.training entry.");
        try
        {
            TrainingCheckpoint state = JsonSerializer.Deserialize(text, CheckpointJson.Default.TrainingCheckpoint)
                ?? throw new FileFormatException(path, Fault.Corrupt, "the training state is empty.");
            return state with { Tensors = file.Tensors.ToDictionary(t => t.Name, t => file.ReadSingles(t.Name)) };
        }
        catch (JsonException error)
        {
            throw new FileFormatException(path, Fault.Corrupt, $"the training state cannot be read: {error.Message}", error);
        }
    }
}

// Named literals: best scores begin at minus infinity and a loss may be NaN.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TrainingCheckpoint))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
