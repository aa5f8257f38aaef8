namespace Candela.Training;

/// <summary>Fills a new parameter. The values depend on the generator alone, never on libtorch's.</summary>
/// <param name="values">Row-major storage to fill, shape.Elements long.</param>
/// <param name="shape">[out, in] or [out, in / groups, kernel...] for weights, [n] for biases.</param>
/// <param name="rng">The parameter's own stream: a pure function of the seed and the parameter's key.</param>
public delegate void Initializer(Span<float> values, Shape shape, Rng rng);
