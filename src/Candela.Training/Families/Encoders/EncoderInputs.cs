using Candela.Data;
using Candela.Tokenization;
using Candela.Training.Language;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Texts, or pairs of them, as an encoder of the BERT family reads them.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="config">The model's.</param>
/// <param name="maxTokens">Tokens of a row at the most; of longer ones the end is cut, the longer text of a pair first.</param>
/// <param name="columns">Texts per row, 1 or 2.</param>
internal sealed class EncoderInputs(Tokenizer tokenizer, BertConfig config, int maxTokens, int columns)
{
    public int MaxTokens => maxTokens;

    public int Columns => columns;

    /// <summary>The tokens of each row of a batch.</summary>
    public TokenEncoding[] Read(FeatureBatch batch)
    {
        var rows = new TokenEncoding[batch.Count];
        for (int row = 0; row < rows.Length; row++)
        {
            rows[row] = tokenizer.EncodeWithin(batch.Texts[row * columns], columns == 2 ? batch.Texts[(row * columns) + 1] : null, maxTokens);
            if (rows[row].Count == 0)
                rows[row] = rows[row] with { Ids = [config.Padding], TypeIds = [0] }; // nothing to read, and no tokens that frame it
        }

        return rows;
    }

    /// <summary>Hidden states of rows, [B, T, W], T the longest of them.</summary>
    public Tensor Hidden(BertModel network, IReadOnlyList<TokenEncoding> rows, Device device)
    {
        int steps = rows.Max(r => r.Count);
        long[] ids = new long[rows.Count * steps], types = new long[ids.Length], mask = new long[ids.Length];
        Array.Fill(ids, config.Padding);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows[row].Count; i++)
            {
                int at = (row * steps) + i;
                (ids[at], types[at], mask[at]) = (rows[row].Ids[i], rows[row].TypeIds[i], 1);
            }
        }

        Tensor Of(long[] values) => tensor(values, [rows.Count, steps]).to(device);
        bool padded = Array.IndexOf(mask, 0) >= 0, segments = config.TokenTypes > 1 && columns == 2;
        using Tensor idTensor = Of(ids);
        using Tensor? typeTensor = segments ? Of(types) : null, maskTensor = padded ? Of(mask) : null;
        return network.Hidden(idTensor, typeTensor, maskTensor);
    }
}
