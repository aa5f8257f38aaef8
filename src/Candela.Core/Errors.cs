namespace Candela;

/// <summary>The root of every error Candela raises on purpose. Its message is one or two lines: where, what was
/// received, what was needed, what to do.</summary>
public class CandelaException : Exception
{
    /// <summary>Creates the error with a finished message.</summary>
    public CandelaException(string message) : base(message) { }

    /// <summary>Creates the error with a finished message and the lower-level cause.</summary>
    public CandelaException(string message, Exception? inner) : base(message, inner) { }
}

/// <summary>Input data that cannot be used: a missing column, a ragged row, a cell of the wrong kind. The command exits with 2.</summary>
public sealed class DataException : CandelaException
{
    /// <summary>Creates the error.</summary>
    public DataException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>An option, argument or recipe key that cannot be used. The command exits with 2.</summary>
public sealed class UsageException : CandelaException
{
    /// <summary>Creates the error.</summary>
    public UsageException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>What is wrong with a file that Candela reads as a format.</summary>
public enum Fault
{
    /// <summary>The file ends before its header says it should.</summary>
    Truncated,

    /// <summary>The bytes contradict the format or a stored checksum.</summary>
    Corrupt,

    /// <summary>The format is right but a version or feature of it is not supported.</summary>
    Unsupported,

    /// <summary>The file is something else.</summary>
    WrongFormat,

    /// <summary>The file is not there.</summary>
    Missing,
}

/// <summary>A file of a known format that cannot be read. The command exits with 2.</summary>
public sealed class FileFormatException : CandelaException
{
    /// <summary>Creates the error for the file at <paramref name="path"/>.</summary>
    public FileFormatException(string path, Fault fault, string message, Exception? inner = null)
        : base($"{path}: {message}", inner) => (Path, Fault) = (path, fault);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it.</summary>
    public Fault Fault { get; }
}

/// <summary>Tensors or arrays whose shapes do not fit together; carries both in its message.</summary>
public sealed class ShapeException : CandelaException
{
    /// <summary>Creates the error.</summary>
    public ShapeException(string message) : base(message) { }
}

/// <summary>Training left the finite numbers before any epoch worth keeping: its loss or a weight became NaN or infinite. The command exits with 1.</summary>
public sealed class DivergedException : CandelaException
{
    /// <summary>Creates the error.</summary>
    public DivergedException(string message) : base(message) { }
}

/// <summary>The native engine or the asked device cannot be used; the message names the package to add. The command exits with 2.</summary>
public sealed class EngineException : CandelaException
{
    /// <summary>Creates the error.</summary>
    public EngineException(string message, Exception? inner = null) : base(message, inner) { }
}
