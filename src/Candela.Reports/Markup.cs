using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Candela.Reports;

/// <summary>A piece of HTML under construction. In an interpolated string the literal parts are ours and go in as they are; every value in braces is encoded,
/// so a hostile column name can never become markup. Another <see cref="Markup"/> in braces is inserted as markup.</summary>
internal sealed class Markup
{
    private readonly StringBuilder _text = new();

    /// <summary>New markup whose braces are encoded.</summary>
    public static Markup Of(Handler content) => content.Target;

    public bool IsEmpty => _text.Length == 0;

    /// <summary>Appends markup whose braces are encoded.</summary>
    public Markup Add([InterpolatedStringHandlerArgument("")] Handler content)
    {
        _ = content.Target; // the parts were appended to this object as the string was put together
        return this;
    }

    /// <summary>Appends finished markup.</summary>
    public Markup Add(Markup other)
    {
        _text.Append(other._text);
        return this;
    }

    /// <summary>Appends a constant of this assembly, such as the style sheet.</summary>
    public Markup AddConstant(string trusted)
    {
        _text.Append(trusted);
        return this;
    }

    public override string ToString() => _text.ToString();

    // Encodes for text and quoted attributes. Characters that XML forbids (controls, lone surrogates) become U+FFFD.
    private void Encode(string? value)
    {
        if (value is null)
            return;
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            switch (c)
            {
                case '&': _text.Append("&amp;"); break;
                case '<': _text.Append("&lt;"); break;
                case '>': _text.Append("&gt;"); break;
                case '"': _text.Append("&quot;"); break;
                case '\'': _text.Append("&#39;"); break;
                case '\t' or '\n' or '\r': _text.Append(c); break;
                case < ' ' or (>= '\x7F' and <= '\x9F') or '\uFFFE' or '\uFFFF': _text.Append('\uFFFD'); break;
                default:
                    if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
                        _text.Append(c).Append(value[++i]);
                    else
                        _text.Append(char.IsSurrogate(c) ? '\uFFFD' : c);
                    break;
            }
        }
    }

    /// <summary>Receives the parts of an interpolated string.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Handler
    {
        public Handler(int literalLength, int formattedCount) : this(literalLength, formattedCount, new Markup()) { }

        public Handler(int literalLength, int formattedCount, Markup target)
        {
            (_, _) = (literalLength, formattedCount);
            Target = target;
        }

        public Markup Target { get; }

        public void AppendLiteral(string literal) => Target._text.Append(literal);

        public void AppendFormatted(string? value) => Target.Encode(value);

        public void AppendFormatted(Markup? value) => Target._text.Append(value?._text);

        public void AppendFormatted(long value) => Target._text.Append(value.ToString(CultureInfo.InvariantCulture));

        /// <summary>Coordinates and sizes: two decimals.</summary>
        public void AppendFormatted(double value) => Target._text.Append(value.ToString("0.##", CultureInfo.InvariantCulture));
    }
}
