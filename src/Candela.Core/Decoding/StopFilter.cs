using System.Text;

namespace Candela.Decoding;

/// <summary>Lets text pass until a stop string is complete, holding back what may still become one. Where pieces begin and end makes no difference: the stop string that is complete first ends the text, of several the longest.</summary>
internal sealed class StopFilter(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _text = new();
    private int _given;

    /// <summary>The stop string found.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes a piece and gives what is certain. When <paramref name="heeded"/> is false, no stop string ends within the piece.</summary>
    public string Push(string piece, bool heeded = true)
    {
        if (stops.Count == 0)
            return piece;
        int before = _text.Length;
        _text.Append(piece);
        if (heeded)
            for (int end = before + 1; end <= _text.Length; end++)
            {
                foreach (string stop in stops)
                    if (EndsAt(end, stop, stop.Length) && stop.Length > (Found?.Length ?? 0))
                        Found = stop;
                if (Found is not null)
                {
                    _text.Length = end - Found.Length;
                    return Give(_text.Length);
                }
            }

        int held = 0;
        foreach (string stop in stops)
            for (int length = Math.Min(stop.Length - 1, _text.Length); length > held; length--)
                if (EndsAt(_text.Length, stop, length))
                    held = length;
        return Give(_text.Length - held);
    }

    /// <summary>Gives what was held back: no more text follows.</summary>
    public string Flush() => Give(_text.Length);

    /// <summary>Whether the first <paramref name="length"/> characters of the stop string end at a place of the text.</summary>
    private bool EndsAt(int end, string stop, int length)
    {
        if (length > end)
            return false;
        for (int i = 0; i < length; i++)
            if (_text[end - length + i] != stop[i])
                return false;
        return true;
    }

    private string Give(int until)
    {
        if (until <= _given)
            return "";
        string text = _text.ToString(_given, until - _given);
        _given = until;
        return text;
    }
}
