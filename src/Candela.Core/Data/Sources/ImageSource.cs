using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>Images of one shape, perhaps with a class each, that can be read in order again and again.</summary>
internal abstract class ImageSource(string path)
{
    public string Path { get; } = path;

    /// <summary>Every image is given in this shape.</summary>
    public abstract ImageShape Shape { get; }

    public abstract int Count { get; }

    /// <summary>Class names, or null when the images have none.</summary>
    public abstract IReadOnlyList<string>? Classes { get; }

    /// <summary>In words, for the schema.</summary>
    public abstract string Note { get; }

    /// <summary>Index into <see cref="Classes"/>.</summary>
    public abstract int Label(int image);

    /// <summary>A pass from the first image to the last.</summary>
    public abstract ImagePass Open(IncrementalHash? hash = null);
}

/// <summary>One pass over the images of an <see cref="ImageSource"/>.</summary>
internal abstract class ImagePass : IDisposable
{
    /// <summary>Writes the next image as bytes [C, H, W].</summary>
    public abstract void Next(Span<byte> into);

    /// <summary>Called after the last image: checks that nothing is left over.</summary>
    public virtual void End()
    {
    }

    public virtual void Dispose()
    {
    }
}
