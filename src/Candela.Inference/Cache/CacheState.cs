namespace Candela.Inference.Cache;

/// <summary>The pages of one sequence. Forking shares them; writing copies a shared last page first.</summary>
internal sealed class CacheState(int layers, int groups, int width) : IDisposable
{
    private readonly List<KeyValuePage> _pages = [];

    /// <summary>Positions that are filled.</summary>
    public int Length { get; private set; }

    public KeyValuePage Page(int position) => _pages[position / KeyValuePage.Positions];

    /// <summary>Makes room behind the filled positions and counts it as filled; the caller writes it before anything reads it.</summary>
    public void Grow(int positions)
    {
        if (positions > 0 && Length % KeyValuePage.Positions != 0 && _pages[^1] is { IsShared: true } shared)
        {
            _pages[^1] = shared.Copy(layers);
            shared.Release();
        }

        Length += positions;
        while (_pages.Count * KeyValuePage.Positions < Length)
            _pages.Add(new KeyValuePage(layers, groups, width));
    }

    /// <summary>Forgets positions from <paramref name="length"/> on.</summary>
    public void Cut(int length)
    {
        Length = length;
        int pages = (length + KeyValuePage.Positions - 1) / KeyValuePage.Positions;
        for (; _pages.Count > pages; _pages.RemoveAt(_pages.Count - 1))
            _pages[^1].Release();
    }

    public CacheState Fork()
    {
        var fork = new CacheState(layers, groups, width) { Length = Length };
        fork._pages.AddRange(_pages.Select(p => p.Hold()));
        return fork;
    }

    public void Dispose() => Cut(0);
}
