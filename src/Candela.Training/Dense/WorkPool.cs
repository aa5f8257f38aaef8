using System.Runtime.InteropServices;
using Candela.Training.DenseNets.Kernels;

namespace Candela.Training.DenseNets;

/// <summary>A few threads that run one function on numbered chunks: spinning for a short while between
/// calls (steps follow each other within microseconds), then asleep. The caller works too. One caller at a time: others wait.</summary>
public sealed unsafe class WorkPool : IDisposable
{
    private const int SpinsBeforeSleep = 600;

    private readonly Thread[] _workers;
    private readonly Lock _gate = new(), _caller = new();
    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _asleep;
    private delegate*<void*, int, GemmPanels, void> _work;
    private void* _state;
    private long _ticket; // chunks of the round in the upper half, the next chunk to claim in the lower
    private int _round;
    private int _done;
    private Exception? _failure;
    private bool _ending;

    /// <summary>Starts <paramref name="threads"/> - 1 background threads; 0 takes the processors available.</summary>
    public WorkPool(int threads = 0)
    {
        Threads = threads > 0 ? threads : Environment.ProcessorCount;
        Panels = new GemmPanels[Threads];
        for (int i = 0; i < Threads; i++)
            Panels[i] = new GemmPanels();
        _workers = new Thread[Threads - 1];
        _wake = new SemaphoreSlim[Threads - 1];
        _asleep = new int[Threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int index = i;
            _wake[i] = new SemaphoreSlim(0);
            _workers[i] = new Thread(() => Serve(index)) { IsBackground = true, Name = $"candela-dense-{i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads that work, the caller's included.</summary>
    public int Threads { get; }

    internal GemmPanels[] Panels { get; }

    /// <summary>Runs <paramref name="work"/>(state, chunk, panels of the thread) for chunks 0..<paramref name="chunks"/>-1 and returns when all are done. Threads claim chunks
    /// as they come, so on a busy machine the caller does the work of a thread that gets no processor instead of waiting for it.</summary>
    /// <exception cref="CandelaException">A chunk failed on any thread, for want of memory too; all others have ended by then.</exception>
    internal void Run(delegate*<void*, int, GemmPanels, void> work, void* state, int chunks)
    {
        using Lock.Scope scope = _caller.EnterScope();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ending), this);
        if (chunks <= 1 || Threads == 1)
        {
            for (int i = 0; i < chunks; i++)
                work(state, i, Panels[0]);
            return;
        }

        _work = work;
        _state = state;
        _done = 0;
        Interlocked.Exchange(ref _ticket, (long)chunks << 32);
        Interlocked.Increment(ref _round);
        for (int i = 0; i < _wake.Length; i++)
            if (Interlocked.Exchange(ref _asleep[i], 0) == 1)
                _wake[i].Release();
        Claim(Panels[0]);
        var spinner = new SpinWait();
        while (Volatile.Read(ref _done) < chunks)
            spinner.SpinOnce(sleep1Threshold: -1);
        if (_failure is { } failure)
        {
            _failure = null;
            throw new CandelaException($"A worker thread failed: {failure.Message}", failure);
        }
    }

    /// <summary>The same of a delegate: work(chunk, panels of the thread).</summary>
    internal void Run(int chunks, Action<int, GemmPanels> work)
    {
        var handle = GCHandle.Alloc(work);
        try
        {
            Run(&Invoke, (void*)GCHandle.ToIntPtr(handle), chunks);
        }
        finally
        {
            handle.Free();
        }
    }

    private static void Invoke(void* work, int chunk, GemmPanels panels) => ((Action<int, GemmPanels>)GCHandle.FromIntPtr((nint)work).Target!)(chunk, panels);

    /// <summary>Ends the threads and frees their panels.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_ending)
                return;
            Volatile.Write(ref _ending, true);
        }

        foreach (SemaphoreSlim wake in _wake)
            wake.Release();
        foreach (Thread worker in _workers)
            worker.Join();
        foreach (SemaphoreSlim wake in _wake)
            wake.Dispose();
        foreach (GemmPanels panels in Panels)
            panels.Dispose();
    }

    private void Serve(int index)
    {
        int seen = 0;
        while (true)
        {
            int spins = 0;
            while (Volatile.Read(ref _round) == seen)
            {
                if (Volatile.Read(ref _ending))
                    return;
                if (++spins < SpinsBeforeSleep)
                {
                    Thread.SpinWait(8);
                    continue;
                }

                // Announce sleep, then look once more: a round begun in between takes the announcement back and releases the semaphore.
                Interlocked.Exchange(ref _asleep[index], 1);
                if (Volatile.Read(ref _round) == seen || Interlocked.Exchange(ref _asleep[index], 0) == 0)
                    _wake[index].Wait();
                spins = 0;
            }

            seen = Volatile.Read(ref _round);
            Claim(Panels[index + 1]);
        }
    }

    // A ticket names its round's number of chunks, so a thread that comes late finds nothing left or a chunk of the present round, both right.
    private void Claim(GemmPanels panels)
    {
        while (true)
        {
            long ticket = Interlocked.Increment(ref _ticket) - 1;
            if ((int)ticket >= (int)(ticket >> 32))
                return;
            try
            {
                _work(_state, (int)ticket, panels);
            }
            catch (Exception e) // an exception that left a worker would end the process
            {
                _failure = e;
            }

            Interlocked.Increment(ref _done);
        }
    }
}
