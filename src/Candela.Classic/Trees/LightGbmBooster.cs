using System.Globalization;
using System.Text;
using Native = Candela.Classic.Trees.LightGbmNative.Calls;

namespace Candela.Classic.Trees;

/// <summary>Gradient boosting by LightGBM (Ke et al. 2017) through its C interface. Native memory: about 1 byte per row and feature plus 40 bytes per row and sum.</summary>
internal sealed class LightGbmBooster : IBooster
{
    private readonly TrainingTable _table;
    private readonly int _sums;
    private readonly double[] _metric = new double[1];
    private IntPtr _booster, _train, _valid;

    /// <summary>Bins the rows and makes an empty model.</summary>
    /// <exception cref="EngineException">LightGBM cannot be loaded or refuses.</exception>
    public LightGbmBooster(TrainingTable train, TrainingTable? valid, BoostingSettings settings)
    {
        LightGbmNative.Load();
        _table = train;
        _sums = train.Classes > 2 ? train.Classes : 1;
        byte[] parameters = Ascii(Parameters(train, settings));
        try
        {
            _train = Dataset(train, parameters, IntPtr.Zero);
            LightGbmNative.Check(Native.LGBM_BoosterCreate(_train, parameters, out _booster), "creating the model");
            if (valid is not null)
            {
                _valid = Dataset(valid, parameters, _train);
                LightGbmNative.Check(Native.LGBM_BoosterAddValidData(_booster, _valid), "adding the validation rows");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool AddRound()
    {
        LightGbmNative.Check(Native.LGBM_BoosterUpdateOneIter(_booster, out int finished), "adding a round");
        return finished == 0;
    }

    /// <inheritdoc/>
    public double TrainLoss() => Loss(0);

    /// <inheritdoc/>
    public double ValidLoss() => Loss(1);

    /// <inheritdoc/>
    public TreeEnsemble Take(int rounds)
    {
        var builder = new TreeEnsembleBuilder(1);
        LightGbmModelText.Read(ModelText(rounds), builder);
        var start = new double[_sums];
        return _table.Classes == 0 ? builder.Build(TreeLink.Identity, start, _table.TargetScale, _table.TargetMean)
            : builder.Build(_sums == 1 ? TreeLink.Sigmoid : TreeLink.Softmax, start);
    }

    /// <summary>LightGBM's own sums for some rows, [rows x sums], for tests of the managed evaluator.</summary>
    internal double[] NativeSums(float[] values, int rows, int rounds)
    {
        var sums = new double[rows * _sums];
        LightGbmNative.Check(Native.LGBM_BoosterPredictForMat(_booster, values, LightGbmNative.Float32, rows, _table.Width, 1, 1, 0, rounds, Ascii(""), out _, sums), "scoring");
        return sums;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_booster != IntPtr.Zero)
            _ = Native.LGBM_BoosterFree(_booster);
        if (_valid != IntPtr.Zero)
            _ = Native.LGBM_DatasetFree(_valid);
        if (_train != IntPtr.Zero)
            _ = Native.LGBM_DatasetFree(_train);
        _booster = _valid = _train = IntPtr.Zero;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees native memory when <see cref="Dispose"/> was not called.</summary>
    ~LightGbmBooster() => Dispose();

    private static string Parameters(TrainingTable table, BoostingSettings settings)
    {
        var text = new StringBuilder();
        void Set(string key, FormattableString value) => text.Append(key).Append('=').Append(value.ToString(CultureInfo.InvariantCulture)).Append(' ');
        string objective = table.Classes == 0 ? "regression" : table.Classes == 2 ? "binary" : "multiclass";
        Set("objective", $"{objective}");
        if (table.Classes > 2)
            Set("num_class", $"{table.Classes}");
        Set("metric", $"{(table.Classes == 0 ? "l2" : table.Classes == 2 ? "binary_logloss" : "multi_logloss")}");
        Set("learning_rate", $"{settings.LearningRate}");
        Set("num_leaves", $"{settings.Leaves}");
        Set("min_data_in_leaf", $"{settings.MinRowsPerLeaf}");
        Set("lambda_l2", $"{settings.L2}");
        Set("lambda_l1", $"{settings.L1}");
        Set("bagging_fraction", $"{settings.RowShare}");
        Set("bagging_freq", $"{(settings.RowShare < 1 ? 1 : 0)}");
        Set("feature_fraction", $"{settings.FeatureShare}");
        Set("seed", $"{(int)(Rng.Mix((ulong)settings.Seed) >> 34)}");
        Set("num_threads", $"{ThreadsFor(table, settings)}");
        Set("deterministic", $"true");
        Set("force_col_wise", $"true");
        Set("feature_pre_filter", $"false");
        Set("verbosity", $"-1");
        string categories = string.Join(',', Enumerable.Range(0, table.Width).Where(i => table.Cardinalities[i] > 0));
        if (categories.Length > 0)
            Set("categorical_feature", $"{categories}");
        return text.ToString();
    }

    // OpenMP threads spin at barriers, many per tree. On a busy 2-core machine two threads took 50 s for what one does in 1 s (16,000 x 9 cells),
    // and on an idle one the gain is small until each barrier has much work behind it.
    private static int ThreadsFor(TrainingTable table, BoostingSettings settings) =>
        (long)table.Count * table.Width < 4_000_000 ? 1 : settings.Threads > 0 ? settings.Threads : Environment.ProcessorCount;

    private static IntPtr Dataset(TrainingTable table, byte[] parameters, IntPtr reference)
    {
        LightGbmNative.Check(Native.LGBM_DatasetCreateFromMat(table.Values, LightGbmNative.Float32, table.Count, table.Width, 1, parameters, reference, out IntPtr dataset), "binning the rows");
        LightGbmNative.Check(Native.LGBM_DatasetSetField(dataset, Ascii("label"), table.Targets, table.Count, LightGbmNative.Float32), "setting targets");
        if (table.Weights is not null)
            LightGbmNative.Check(Native.LGBM_DatasetSetField(dataset, Ascii("weight"), table.Weights, table.Count, LightGbmNative.Float32), "setting weights");
        return dataset;
    }

    private string ModelText(int rounds)
    {
        var buffer = new byte[1 << 20];
        LightGbmNative.Check(Native.LGBM_BoosterSaveModelToString(_booster, 0, rounds, 0, buffer.Length, out long length, buffer), "writing the model");
        if (length > buffer.Length)
        {
            buffer = new byte[length];
            LightGbmNative.Check(Native.LGBM_BoosterSaveModelToString(_booster, 0, rounds, 0, buffer.Length, out length, buffer), "writing the model");
        }

        return Encoding.UTF8.GetString(buffer, 0, (int)length - 1);
    }

    private double Loss(int set)
    {
        LightGbmNative.Check(Native.LGBM_BoosterGetEval(_booster, set, out _, _metric), "computing the loss");
        return _metric[0];
    }

    // C strings: ASCII with a closing zero.
    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text + "\0");
}
