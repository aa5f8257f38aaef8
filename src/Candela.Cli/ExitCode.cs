namespace Candela.Cli;

/// <summary>What the command's exit status means.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int GateFailed = 3;
    public const int Cancelled = 130;
}
