using System.Runtime.CompilerServices;

namespace Candela.Inference.Threads;

/// <summary>Threads that go through the stages of one computation together: each stage's pieces are taken one by one by whoever is free, and a meeting ends it.
/// Between computations they watch for a short while and then sleep.</summary>
/// <remarks>Not for use by two callers at once. The caller is worker 0, so a crew of one has no thread of its own and costs nothing.</remarks>
internal sealed class Crew : IDisposable
{
    private const int SpinsBeforeYield = 2000, YieldsBeforeSleep = 200;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly PaddedInt[] _taken;
    private Action<Worker>? _work;
    private Exception? _fault;
    private PaddedInt _arrived, _round, _finished, _call;
    private volatile bool _ends;

    /// <summary>Starts it.</summary>
    /// <param name="size">Workers, the caller included, 1 or more.</param>
    /// <param name="stages">Stages of one computation at the most.</param>
    public Crew(int size, int stages)
    {
        Size = size;
        _taken = new PaddedInt[stages];
        _wake = new SemaphoreSlim[size - 1];
        _threads = new Thread[size - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int index = i + 1;
            _wake[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Serve(index)) { IsBackground = true, Name = $"candela worker {index}" };
            _threads[i].Start();
        }
    }

    /// <summary>Workers, the caller included.</summary>
    public int Size { get; }

    /// <summary>Runs <paramref name="work"/> on every worker and returns when all are through.</summary>
    public void Run(Action<Worker> work)
    {
        ObjectDisposedException.ThrowIf(_ends, this);
        if (Size > 1)
            Array.Clear(_taken);
        (_work, _fault, _arrived.Value, _finished.Value) = (work, null, 0, 0);
        Volatile.Write(ref _call.Value, _call.Value + 1);
        foreach (SemaphoreSlim wake in _wake)
        {
            if (wake.CurrentCount == 0)
                wake.Release();
        }

        Serve(new Worker(this, 0));
        for (int spins = 0; Volatile.Read(ref _finished.Value) < Size; spins++)
            Pause(spins);
        _work = null;
        if (_fault is { } fault)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ends = true;
        Volatile.Write(ref _call.Value, _call.Value + 1);
        foreach (SemaphoreSlim wake in _wake)
            wake.Release();
        foreach (Thread thread in _threads)
            thread.Join();
        foreach (SemaphoreSlim wake in _wake)
            wake.Dispose();
    }

    private void Serve(int index)
    {
        for (int seen = 0; ;)
        {
            for (int spins = 0; Volatile.Read(ref _call.Value) == seen; spins++)
            {
                if (spins < SpinsBeforeYield + YieldsBeforeSleep)
                    Pause(spins);
                else
                    _wake[index - 1].Wait();
            }

            seen = Volatile.Read(ref _call.Value);
            if (_ends)
                return;
            Serve(new Worker(this, index));
        }
    }

    private void Serve(Worker worker)
    {
        try
        {
            _work!(worker);
        }
        catch (Exception error)
        {
            // The others would wait at the next meeting for ever: they are let through, and leave by this.
            _ = Interlocked.CompareExchange(ref _fault, error, null);
        }

        _ = Interlocked.Increment(ref _finished.Value);
    }

    private static void Pause(int spins)
    {
        if (spins < SpinsBeforeYield)
            Thread.SpinWait(1);
        else
            Thread.Yield();
    }

    /// <summary>One worker within one computation.</summary>
    internal sealed class Worker(Crew crew, int index)
    {
        private int _stage;

        /// <summary>0 is the caller.</summary>
        public int Index => index;

        /// <summary>Workers in all.</summary>
        public int Count => crew.Size;

        /// <summary>Takes the next piece of the current stage, or -1 when all <paramref name="pieces"/> are taken.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Take(int pieces)
        {
            if (crew.Size == 1)
                return crew._taken[0].Value < pieces ? crew._taken[0].Value++ : -1;
            int piece = Interlocked.Increment(ref crew._taken[_stage].Value) - 1;
            return piece < pieces ? piece : -1;
        }

        /// <summary>Ends the stage: nobody goes on before all are here.</summary>
        public void Meet()
        {
            if (crew.Size == 1)
            {
                crew._taken[0].Value = 0;
                return;
            }

            _stage++;
            int round = Volatile.Read(ref crew._round.Value);
            if (Interlocked.Increment(ref crew._arrived.Value) == crew.Size)
            {
                crew._arrived.Value = 0;
                Volatile.Write(ref crew._round.Value, round + 1);
                return;
            }

            for (int spins = 0; Volatile.Read(ref crew._round.Value) == round; spins++)
            {
                if (Volatile.Read(ref crew._fault) is not null)
                    throw new OperationCanceledException("Another worker failed.");
                Pause(spins);
            }
        }
    }

    // A cache line of its own.
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 128)]
    private struct PaddedInt
    {
        [System.Runtime.InteropServices.FieldOffset(64)]
        public int Value;
    }
}
