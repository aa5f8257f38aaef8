using Candela.Formats;
using Candela.Training.Language;

namespace Candela.Training.Tests.Language;

/// <summary>Published counts, from configurations alone.</summary>
public sealed class ParameterCountTests
{
    [Theory]
    [InlineData(124_439_808, """{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":768,"n_layer":12,"n_head":12}""")]
    [InlineData(1_557_611_200, """{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":1600,"n_layer":48,"n_head":25}""")] // gpt2-xl
    [InlineData(109_482_240, """{"model_type":"bert","architectures":["BertModel"],"vocab_size":30522,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"max_position_embeddings":512,"type_vocab_size":2}""")]
    [InlineData(66_362_880, """{"model_type":"distilbert","architectures":["DistilBertModel"],"vocab_size":30522,"dim":768,"n_layers":6,"n_heads":12,"hidden_dim":3072,"max_position_embeddings":512}""")]
    [InlineData(124_645_632, """{"model_type":"roberta","architectures":["RobertaModel"],"vocab_size":50265,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"max_position_embeddings":514,"type_vocab_size":1,"pad_token_id":1}""")]
    [InlineData(1_100_048_384, """{"model_type":"llama","vocab_size":32000,"hidden_size":2048,"intermediate_size":5632,"num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,"max_position_embeddings":2048}""")]
    [InlineData(6_738_415_616, """{"model_type":"llama","vocab_size":32000,"hidden_size":4096,"intermediate_size":11008,"num_hidden_layers":32,"num_attention_heads":32,"max_position_embeddings":4096}""")] // Llama 2 7B
    [InlineData(8_030_261_248, """{"model_type":"llama","vocab_size":128256,"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"rope_theta":500000.0,"max_position_embeddings":8192}""")] // Llama 3 8B
    [InlineData(7_241_732_096, """{"model_type":"mistral","vocab_size":32000,"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"sliding_window":4096,"max_position_embeddings":32768}""")]
    [InlineData(494_032_768, """{"model_type":"qwen2","vocab_size":151936,"hidden_size":896,"intermediate_size":4864,"num_hidden_layers":24,"num_attention_heads":14,"num_key_value_heads":2,"tie_word_embeddings":true,"max_position_embeddings":32768}""")] // Qwen2-0.5B
    [InlineData(596_049_920, """{"model_type":"qwen3","vocab_size":151936,"hidden_size":1024,"intermediate_size":3072,"num_hidden_layers":28,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":128,"tie_word_embeddings":true,"max_position_embeddings":40960}""")] // Qwen3-0.6B
    [InlineData(134_515_008, """{"model_type":"llama","vocab_size":49152,"hidden_size":576,"intermediate_size":1536,"num_hidden_layers":30,"num_attention_heads":9,"num_key_value_heads":3,"tie_word_embeddings":true,"max_position_embeddings":2048}""")] // SmolLM-135M
    [Trait("Kind", "golden")]
    public void ParameterCount_PublishedConfiguration_IsThePublishedNumber(long expected, string json)
    {
        string path = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, json);
        try
        {
            TransformerConfig config = TransformerConfig.Load(path);
            Assert.Equal(expected, config.ParameterCount);
            Assert.Equal(expected, TransformerSummary.Of(config).Parameters);
            JsonFile.WriteObject(path, config.ToJson());
            Assert.Equal(expected, TransformerConfig.Load(path).ParameterCount);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("qwen2", "\"use_sliding_window\":true,\"sliding_window\":7,\"max_window_layers\":2,", "\"sliding_attention\",\"full_attention\",\"sliding_attention\"", "7,0,7")]
    [InlineData("qwen3", "\"use_sliding_window\":false,\"sliding_window\":7,", "\"sliding_attention\",\"full_attention\",\"sliding_attention\"", "0,0,0")]
    [InlineData("qwen2", "\"use_sliding_window\":true,\"sliding_window\":7,\"max_window_layers\":2,", null, "0,0,7")]
    [InlineData("llama", "", "\"full_attention\",\"full_attention\",\"full_attention\"", "0,0,0")]
    [InlineData("mistral", "\"sliding_window\":7,", "\"sliding_attention\",\"sliding_attention\",\"sliding_attention\"", "7,7,7")]
    [InlineData("llama", "", "\"full_attention\",\"sliding_attention\",\"full_attention\"", "!supported is full_attention in all layers")]
    [InlineData("mistral", "\"sliding_window\":7,", "\"sliding_attention\",\"full_attention\",\"sliding_attention\"", "!supported is sliding_attention in all layers")]
    [InlineData("qwen2", "", "\"full_attention\",\"chunked_attention\",\"full_attention\"", "!'chunked_attention'")]
    [InlineData("qwen2", "", "\"full_attention\"", "!has 1 entries; one for each of the 3 layers")]
    [InlineData("qwen2", "", "7,7,7", "!layer_types")]
    public void Load_LayerTypes_AreHeededOrRefused(string type, string window, string? kinds, string expected)
    {
        string path = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, $$"""{"model_type":"{{type}}",{{window}}{{(kinds is null ? "" : $"\"layer_types\":[{kinds}],")}}"vocab_size":10,"hidden_size":8,"head_dim":4,"intermediate_size":8,"num_hidden_layers":3,"num_attention_heads":2}""");
        try
        {
            if (expected[0] == '!')
            {
                Assert.Contains(expected[1..], Assert.Throws<FileFormatException>(() => TransformerConfig.Load(path)).Message, StringComparison.Ordinal);
                return;
            }

            var config = (LlamaConfig)TransformerConfig.Load(path);
            Assert.Equal(expected, string.Join(',', Enumerable.Range(0, 3).Select(config.WindowOf)));
            JsonFile.WriteObject(path, config.ToJson());
            Assert.Equal(expected, string.Join(',', Enumerable.Range(0, 3).Select(((LlamaConfig)TransformerConfig.Load(path)).WindowOf)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Summary_SmallLlama_HasItsCostsByHand()
    {
        var config = new LlamaConfig { VocabularySize = 100, ContextLength = 32, Width = 8, HiddenWidth = 16, Layers = 2, Heads = 2, KeyValueHeads = 1 };
        TransformerSummary summary = TransformerSummary.Of(config);
        const double Block = (8 * 8) + (2 * 8 * 4) + (8 * 8) + (3 * 8 * 16);
        Assert.Equal((2 * Block) + (2 * 100 * 8) + (5 * 8), summary.Parameters);
        Assert.Equal(2 * ((2 * Block) + (100 * 8)) + (4 * 1 * 2 * 8), summary.FlopsPerToken);
        Assert.Equal(2 * ((2 * Block) + (100 * 8)) + (4.0 * 32 * 2 * 8), summary.FlopsPerTokenAtFullContext);
        Assert.Equal(summary.Parameters * 4, summary.BytesF32);
        Assert.Equal(summary.Parameters * 2, summary.BytesF16);
        double matrices = (2 * Block) + (2 * 100 * 8);
        Assert.Equal((long)(matrices / 32 * 34) + (5 * 8 * 4), summary.BytesQ8);
        Assert.Equal((long)(matrices / 32 * 18) + (5 * 8 * 4), summary.BytesQ4);
        Assert.Equal(2 * 2 * 4 * 2, summary.CacheBytesPerTokenF16);
        Assert.Equal(summary.Parameters, summary.Parts.Sum(p => p.Parameters));
        Assert.DoesNotContain(summary.Parts, p => p.Parameters <= 0);
        Assert.Equal(summary.Parameters, (long)summary.ToJson()["parameters"]!);
    }
}
