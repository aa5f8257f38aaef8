using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Candela.Models;
using Candela.Templates;
using Candela.Tokenization;

namespace Candela.Decoding;

/// <summary>Generates text after a prompt: greedy, sampled or by beam search, at once or as a stream. Knows no engine. One text at a time per model.
/// <code>GenerationResult story = new TextGenerator(lm, lm.Tokenizer).Generate("Once", new GenerationOptions { Temperature = 0.8 });</code></summary>
public sealed class TextGenerator
{
    private readonly ICausalLm _model;
    private readonly Tokenizer? _tokenizer;
    private readonly TimeProvider _clock;

    /// <summary>Generates with a model, which stays the caller's.</summary>
    /// <param name="model">Tokens in, logits out.</param>
    /// <param name="tokenizer">Its tokenizer; without one, prompts and results are ids, and stop strings are refused.</param>
    /// <param name="clock">Measures time; default: the system's.</param>
    public TextGenerator(ICausalLm model, Tokenizer? tokenizer = null, TimeProvider? clock = null) => (_model, _tokenizer, _clock) = (model, tokenizer, clock ?? TimeProvider.System);

    /// <summary>The ids of a prompt, with the special tokens the tokenizer adds; an empty prompt is the begin-of-text token.</summary>
    /// <exception cref="UsageException">There is no tokenizer, or the prompt is empty and the tokenizer has no begin-of-text token.</exception>
    public int[] Encode(string prompt)
    {
        Tokenizer tokenizer = _tokenizer ?? throw new UsageException("This generator has no tokenizer; give the prompt as token ids.");
        int[] ids = tokenizer.Encode(prompt);
        if (ids.Length > 0)
            return ids;
        return tokenizer.BosId is { } begin ? [begin] : throw new UsageException("The prompt is empty and the tokenizer has no begin-of-text token to begin with; give a prompt of at least one word.");
    }

    /// <summary>The ids of a conversation in the model's chat format, ending where the assistant is to answer.</summary>
    /// <param name="messages">In order, for example a system and a user message.</param>
    /// <exception cref="UsageException">There is no tokenizer, or it has no chat template.</exception>
    public int[] EncodeChat(IReadOnlyList<ChatMessage> messages)
    {
        Tokenizer tokenizer = _tokenizer ?? throw new UsageException("This generator has no tokenizer; give the prompt as token ids.");
        string template = tokenizer.Parts.ChatTemplateText
            ?? throw new UsageException("The model has no chat template (tokenizer_config.json or chat_template.jinja): it is not a chat model. Give a plain prompt to continue.");
        var special = new Dictionary<string, string>();
        foreach ((string name, int? id) in new[] { ("bos_token", tokenizer.BosId), ("eos_token", tokenizer.EosId), ("pad_token", tokenizer.PadId), ("unk_token", tokenizer.UnknownId) })
            if (id is { } known && tokenizer.TokenOf(known) is { } text)
                special[name] = text;
        string prompt = ChatTemplate.Parse(template).Render(messages, new ChatTemplateOptions { SpecialTokens = special, Time = _clock });
        return tokenizer.Encode(prompt, addSpecialTokens: false);
    }

    /// <summary>Generates what belongs between two texts, with a model trained to fill in the middle. Other parts' special tokens end the text.</summary>
    /// <param name="prefix">The text before.</param>
    /// <param name="suffix">The text after.</param>
    /// <param name="options">As for a prompt.</param>
    /// <param name="cancellationToken">Heeded between two tokens.</param>
    /// <exception cref="UsageException">The vocabulary has no fill-in-the-middle tokens.</exception>
    public GenerationResult Infill(string prefix, string suffix, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        Tokenizer tokenizer = _tokenizer ?? throw new UsageException("Filling in needs a tokenizer and this generator has none.");
        FillInMiddle format = FillInMiddle.Of(tokenizer);
        return Generate(format.Prompt(tokenizer, prefix, suffix), options with { StopTokens = [.. options.StopTokens.Union(format.EndTokens)] }, cancellationToken);
    }

    /// <summary>Generates after a text.</summary>
    /// <inheritdoc cref="Generate(int[], GenerationOptions, CancellationToken)"/>
    public GenerationResult Generate(string prompt, GenerationOptions options, CancellationToken cancellationToken = default) => Generate(Encode(prompt), options, cancellationToken);

    /// <summary>Generates after token ids. Cost: the prompt once, then one model step a token (one a beam).</summary>
    /// <exception cref="UsageException">An option is out of range, the prompt is empty or fills the context, or every token is banned.</exception>
    /// <exception cref="EngineException">The model's logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two tokens.</exception>
    public GenerationResult Generate(int[] prompt, GenerationOptions options, CancellationToken cancellationToken = default) => Generate(prompt, options, null, cancellationToken);

    /// <summary>As above, handing over each piece of text as soon as it is certain (but not under beam search).</summary>
    /// <inheritdoc cref="Generate(int[], GenerationOptions, CancellationToken)" path="/exception"/>
    public GenerationResult Generate(int[] prompt, GenerationOptions options, Action<string>? onText, CancellationToken cancellationToken = default)
    {
        long began = _clock.GetTimestamp();
        if (options.Beams > 1)
            return Beams(prompt, options, began, cancellationToken);
        var steps = new List<GeneratedToken>();
        TimeSpan promptTime = TimeSpan.Zero;
        foreach (GeneratedToken token in Stream(prompt, options, cancellationToken))
        {
            if (steps.Count == 0)
                promptTime = _clock.GetElapsedTime(began);
            steps.Add(token);
            if (token.Text.Length > 0)
                onText?.Invoke(token.Text);
        }

        GeneratedToken last = steps[^1];
        return new GenerationResult(string.Concat(steps.Select(s => s.Text)), [.. steps.Where(s => !s.IsEndToken).Select(s => s.Id)], last.FinishReason!.Value, prompt.Length)
        {
            Steps = steps,
            StopString = last.StopString,
            Seed = options.Seed,
            PromptTime = promptTime,
            Time = _clock.GetElapsedTime(began),
        };
    }

    /// <summary>Generates after token ids, token by token; the last carries the reason. Leaving the loop early frees the state.</summary>
    /// <inheritdoc cref="Generate(int[], GenerationOptions, CancellationToken)" path="/exception"/>
    public IEnumerable<GeneratedToken> Stream(int[] prompt, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        if (options.Beams > 1)
            throw new UsageException($"{options.Beams} beams were asked for: beam search knows its text only at the end and cannot be streamed. Use Generate, or 1 beam.");
        int room = PromptRoom.Of(_model, prompt, options.MaxTokens);
        int[] ends = EndTokens(options);
        var sampler = new TokenSampler(options, _model.VocabularySize, ends, _tokenizer?.VocabularySize ?? int.MaxValue);
        return Steps(prompt, options, room, ends, sampler, cancellationToken);
    }

    /// <summary>As <see cref="Stream"/>, each step on the thread pool.</summary>
    /// <inheritdoc cref="Generate(int[], GenerationOptions, CancellationToken)" path="/exception"/>
    public async IAsyncEnumerable<GeneratedToken> StreamAsync(int[] prompt, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using IEnumerator<GeneratedToken> steps = Stream(prompt, options, cancellationToken).GetEnumerator();
        while (await Task.Run(steps.MoveNext, cancellationToken).ConfigureAwait(false))
            yield return steps.Current;
    }

    private IEnumerable<GeneratedToken> Steps(int[] prompt, GenerationOptions options, int room, int[] ends, TokenSampler sampler, CancellationToken cancellationToken)
    {
        var tokens = new List<int>(prompt.Length + Math.Min(room, 4096));
        tokens.AddRange(prompt);
        IncrementalDecoder? decoder = Decoder(prompt);
        var filter = new StopFilter(options.StopStrings);
        var logits = new float[_model.VocabularySize];
        var own = new float[sampler.HasProcessors ? logits.Length : 0]; // the model's own logits, where the sampler changes them
        using ICausalState state = _model.Begin();
        for (int made = 1; ; made++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            state.Append(CollectionsMarshal.AsSpan(tokens)[state.Length..], logits);
            double normaliser = LogProbability.LogSumExp(logits);
            TokenLogProbability[] top = options.TopLogProbabilities > 0 ? LogProbability.Top(logits, normaliser, options.TopLogProbabilities) : [];
            logits.AsSpan(0, own.Length).CopyTo(own);
            int id = sampler.Next(CollectionsMarshal.AsSpan(tokens), prompt.Length, logits);
            double logProbability = (own.Length > 0 ? own : logits)[id] - normaliser;
            if (Array.IndexOf(ends, id) >= 0)
            {
                string rest = filter.Push(decoder?.Flush() ?? "", made > options.MinTokens);
                yield return new GeneratedToken(id, filter.Found is null ? rest + filter.Flush() : rest, logProbability, top, FinishReason.Stop, IsEndToken: true, filter.Found);
                yield break;
            }

            tokens.Add(id);
            string text = filter.Push(decoder?.Append(id) ?? "", made > options.MinTokens);
            if (filter.Found is null && made == room)
                text += filter.Push(decoder?.Flush() ?? "", made > options.MinTokens);
            if (filter.Found is not null)
            {
                yield return new GeneratedToken(id, text, logProbability, top, FinishReason.Stop, StopString: filter.Found);
                yield break;
            }

            if (made == room)
            {
                yield return new GeneratedToken(id, text + filter.Flush(), logProbability, top, FinishReason.Length);
                yield break;
            }

            yield return new GeneratedToken(id, text, logProbability, top);
        }
    }

    private GenerationResult Beams(int[] prompt, GenerationOptions options, long began, CancellationToken cancellationToken)
    {
        int[] ends = EndTokens(options);
        Func<IReadOnlyList<int>, bool>? isStopped = options.StopStrings.Count == 0 ? null : tokens => Cut(prompt, tokens, options).Found is not null;
        IReadOnlyList<BeamHypothesis> found = new BeamSearch(_model).Search(prompt, options, ends, _tokenizer?.VocabularySize ?? int.MaxValue, isStopped, cancellationToken);
        (string text, string? stop) = Cut(prompt, found[0].Tokens, options);
        return new GenerationResult(text, found[0].Tokens, found[0].FinishReason, prompt.Length) { StopString = stop, Beams = found, Seed = options.Seed, Time = _clock.GetElapsedTime(began) };
    }

    /// <summary>The text of generated ids after a prompt, cut before a stop string; empty without a tokenizer.</summary>
    public string Decode(int[] prompt, IReadOnlyList<int> tokens, GenerationOptions options) => Cut(prompt, tokens, options).Text;

    private (string Text, string? Found) Cut(int[] prompt, IReadOnlyList<int> tokens, GenerationOptions options)
    {
        IncrementalDecoder? decoder = Decoder(prompt);
        if (decoder is null)
            return ("", null);
        var filter = new StopFilter(options.StopStrings);
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < tokens.Count && filter.Found is null; i++)
            text.Append(filter.Push(decoder.Append(tokens[i]), i + 1 > options.MinTokens));
        if (filter.Found is null)
            text.Append(filter.Push(decoder.Flush(), tokens.Count > options.MinTokens));
        if (filter.Found is null)
            text.Append(filter.Flush());
        return (text.ToString(), filter.Found);
    }

    /// <summary>A decoder that has read the prompt, so that the space before a first word is kept where the prompt ends in a word.</summary>
    private IncrementalDecoder? Decoder(int[] prompt)
    {
        IncrementalDecoder? decoder = _tokenizer?.NewDecoder();
        foreach (int id in prompt)
            decoder?.Append(id);
        return decoder;
    }

    private int[] EndTokens(GenerationOptions options)
    {
        if (options.StopStrings.Count > 0 && _tokenizer is null)
            throw new UsageException("Stop strings need a tokenizer and this generator has none; give stop tokens.");
        options.Validate(_model.VocabularySize);
        int? end = options.IgnoreEndOfText ? null : _tokenizer?.EosId;
        return end is { } id && id < _model.VocabularySize ? [.. options.StopTokens.Append(id).Distinct()] : [.. options.StopTokens];
    }
}
