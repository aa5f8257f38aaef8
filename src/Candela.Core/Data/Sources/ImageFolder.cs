using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Candela.Models;
using StbImageSharp;

namespace Candela.Data;

/// <summary>A folder with one subfolder of PNG or JPEG files per class, or with the image files themselves (then there are no classes). Rows are in ordinal order of class and file name.</summary>
internal sealed class ImageFolder : ImageSource
{
    private const int ColourSamples = 64;
    // JPEG stores colour apart from brightness and rounds it: a grey picture may come back a step or two off.
    private const int GreyTolerance = 2;
    private const long LargestPixels = 100_000_000;

    private readonly List<ImageFile> _files = [];
    private readonly string[]? _classes;

    /// <param name="path">The folder.</param>
    /// <param name="events">Told of files left out and of images resized.</param>
    /// <param name="shape">The shape to give; null chooses the most common one.</param>
    public ImageFolder(string path, IProgress<TrainEvent>? events, ImageShape? shape = null) : base(path)
    {
        string[] folders = [.. Directory.GetDirectories(path).Where(d => !System.IO.Path.GetFileName(d).StartsWith('.')).Order(StringComparer.Ordinal)];
        int others = 0;
        if (folders.Length == 0)
        {
            Add(path, -1, ref others);
        }
        else
        {
            _classes = [.. folders.Select(f => System.IO.Path.GetFileName(f))];
            for (int i = 0; i < folders.Length; i++)
                Add(folders[i], i, ref others);
        }

        if (_files.Count == 0)
            throw new DataException($"{path}: no PNG or JPEG file in the folder{(folders.Length > 0 ? "'s subfolders" : "")}. One subfolder of images per class is needed, such as {System.IO.Path.Combine(path, "cat", "1.png")}.");
        if (others > 0)
            events?.Report(new Warned("files-skipped", $"{path}: {others} files are not named .png, .jpg or .jpeg and are left out."));
        Shape = shape ?? Choose(events);
    }

    /// <inheritdoc/>
    public override ImageShape Shape { get; }

    /// <inheritdoc/>
    public override int Count => _files.Count;

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Classes => _classes;

    /// <inheritdoc/>
    public override string Note => Shape.Channels == 1 ? "grey images" : "colour images";

    /// <inheritdoc/>
    public override int Label(int image) => _files[image].Class;

    /// <inheritdoc/>
    public override ImagePass Open(IncrementalHash? hash = null) => new Pass(this, hash);

    private void Add(string folder, int label, ref int others)
    {
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            if (System.IO.Path.GetFileName(file).StartsWith('.'))
                continue;
            if (System.IO.Path.GetExtension(file).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg")
                _files.Add(new ImageFile(file, label));
            else
                others++;
        }
    }

    private ImageShape Choose(IProgress<TrainEvent>? events)
    {
        var sizes = new Dictionary<Size, int>();
        bool coloured = false;
        foreach (ImageFile file in _files)
        {
            ImageInfo info = Header(file.Path);
            sizes[new Size(info.Height, info.Width)] = sizes.GetValueOrDefault(new Size(info.Height, info.Width)) + 1;
            coloured |= info.ColorComponents is ColorComponents.RedGreenBlue or ColorComponents.RedGreenBlueAlpha;
        }

        (Size size, int count) = sizes.OrderByDescending(s => s.Value).ThenByDescending(s => s.Key.Height * s.Key.Width).First();
        if (count < _files.Count)
            events?.Report(new Warned("images-resized", $"{Path}: {_files.Count - count} of {_files.Count} images are not {size.Width} x {size.Height} pixels (the most common size) and are resized to it."));
        if (coloured)
        {
            // Files stored as RGB may hold grey pictures only: look at some, spread over the classes, then at the rest.
            int step = Math.Max(1, _files.Count / ColourSamples);
            coloured = _files.Where((_, i) => i % step == 0).Any(IsColoured) || _files.Any(IsColoured);
        }

        return new ImageShape(coloured ? 3 : 1, size.Height, size.Width);
    }

    private static ImageInfo Header(string path)
    {
        ImageInfo? info;
        try
        {
            using FileStream stream = DataBytes.Open(path);
            info = ImageInfo.FromStream(stream);
        }
        catch (Exception e) when (e is not CandelaException)
        {
            throw new FileFormatException(path, Fault.Corrupt, $"the image's header cannot be read ({e.Message.TrimEnd('.')}). Remove the file or save it again.", e);
        }

        if (info is not { Width: > 0, Height: > 0 } found)
            throw new FileFormatException(path, Fault.WrongFormat, "neither PNG nor JPEG. Remove the file or convert it.");
        if ((long)found.Width * found.Height > LargestPixels)
            throw new FileFormatException(path, Fault.Unsupported, $"{found.Width} x {found.Height} pixels; at most {LargestPixels / 1_000_000} million are read. Make it smaller.");
        return found;
    }

    private static ImageResult Decode(string path, byte[] bytes, ColorComponents components)
    {
        try
        {
            return ImageResult.FromMemory(bytes, components);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The decoder meets broken bytes with whatever it runs into.
            throw new FileFormatException(path, Fault.Corrupt, $"the image cannot be decoded ({e.Message.TrimEnd('.')}). Remove the file or save it again.", e);
        }
    }

    private static bool IsColoured(ImageFile file)
    {
        if (Header(file.Path).ColorComponents is ColorComponents.Grey or ColorComponents.GreyAlpha)
            return false;
        byte[] pixels = Decode(file.Path, File.ReadAllBytes(file.Path), ColorComponents.RedGreenBlue).Data;
        for (int i = 0; i + 2 < pixels.Length; i += 3)
            if (Math.Abs(pixels[i] - pixels[i + 1]) > GreyTolerance || Math.Abs(pixels[i] - pixels[i + 2]) > GreyTolerance)
                return true;
        return false;
    }

    private sealed class Pass(ImageFolder folder, IncrementalHash? hash) : ImagePass
    {
        private int _next;

        public override void Next(Span<byte> into)
        {
            string path = folder._files[_next++].Path;
            _ = Header(path);
            byte[] bytes = File.ReadAllBytes(path);
            if (hash != null)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(System.IO.Path.GetRelativePath(folder.Path, path).Replace('\\', '/') + "\n"));
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
                hash.AppendData(length);
                hash.AppendData(bytes);
            }

            ImageResult image = Decode(path, bytes, folder.Shape.Channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
            Bilinear.Resize(image.Data, new ImageShape(folder.Shape.Channels, image.Height, image.Width), into, folder.Shape);
        }
    }

    private sealed record ImageFile(string Path, int Class);

    private sealed record Size(int Height, int Width);
}
