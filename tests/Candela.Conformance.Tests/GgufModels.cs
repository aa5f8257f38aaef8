using System.Runtime.InteropServices;
using Candela.Formats;
using Candela.Inference.Quantization;
using Candela.Training;
using Candela.Training.Language;

namespace Candela.Conformance.Tests;

/// <summary>Writes a Llama of the training engine as a GGUF file, by llama.cpp's names and, for the architecture "llama", its order of query and key rows.</summary>
internal static class GgufModels
{
    public static void Write(CausalLm model, string path, GgmlType type)
    {
        var config = (LlamaConfig)model.Config;
        string architecture = config.NormalizeHeads ? "qwen3" : config.AttentionBias ? "qwen2" : "llama";
        int groups = config.KeyValueHeads > 0 ? config.KeyValueHeads : config.Heads, head = config.HeadDimension > 0 ? config.HeadDimension : config.Width / config.Heads;
        GgufWriter file = new GgufWriter().Set("general.architecture", GgufValue.Of(architecture));
        foreach ((string key, int value) in new (string, int)[]
        {
            ("context_length", config.ContextLength), ("embedding_length", config.Width), ("block_count", config.Layers), ("feed_forward_length", config.HiddenWidth),
            ("attention.head_count", config.Heads), ("attention.head_count_kv", groups), ("attention.key_length", head), ("attention.value_length", head), ("rope.dimension_count", head),
        })
            file.Set($"{architecture}.{key}", GgufValue.Of((uint)value));
        file.Set($"{architecture}.attention.layer_norm_rms_epsilon", GgufValue.Of((float)config.NormEpsilon)).Set($"{architecture}.rope.freq_base", GgufValue.Of((float)config.RopeTheta));
        foreach (TrainableParameter parameter in TrainableParameter.Of(model.Network))
        {
            long[] shape = parameter.Value.shape;
            float[] values = parameter.Value.data<float>().ToArray();
            string name = Name(parameter.Key);
            if (architecture == "llama" && (name.Contains("attn_q", StringComparison.Ordinal) || name.Contains("attn_k", StringComparison.Ordinal)))
                values = Interleaved(values, (int)shape[0] / head, head, shape.Length == 2 ? (int)shape[1] : 1);
            GgmlType stored = shape.Length == 2 && shape[1] % GgmlTypes.BlockElements(type) == 0 ? type : GgmlType.F32;
            var bytes = new byte[GgmlTypes.Bytes(stored, values.Length)];
            if (stored == GgmlType.F32)
                MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(bytes);
            else
                BlockEncoder.Encode(stored, values, bytes);
            file.Add(name, stored, [.. shape.Reverse()], bytes);
        }

        file.Save(path);
    }

    private static string Name(string key)
    {
        foreach ((string from, string to) in new[]
        {
            ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"), ("model.layers.", "blk."), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"), ("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
            ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"),
        })
            key = key.Replace(from, to, StringComparison.Ordinal);
        return key;
    }

    // Row i and row i + head/2 of each head become neighbours.
    private static float[] Interleaved(float[] rows, int heads, int head, int columns)
    {
        var result = new float[rows.Length];
        for (int h = 0; h < heads; h++)
        {
            for (int i = 0; i < head; i++)
            {
                int from = (h * head) + (i % 2 * (head / 2)) + (i / 2);
                rows.AsSpan(from * columns, columns).CopyTo(result.AsSpan(((h * head) + i) * columns));
            }
        }

        return result;
    }
}
