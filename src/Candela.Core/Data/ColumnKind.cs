namespace Candela.Data;

/// <summary>What a column of a table is, as inferred or as the user says.</summary>
public enum ColumnKind
{
    /// <summary>A real number; missing is NaN.</summary>
    Number,

    /// <summary>Whole numbers that may be a count or a code (years, grades, class labels). Stored as numbers.</summary>
    Integer,

    /// <summary>One of a limited set of names.</summary>
    Category,

    /// <summary>Two values such as true/false, yes/no, 0/1. Stored as a category of two names.</summary>
    Boolean,

    /// <summary>A date or a time stamp; stored as days since 1970-01-01 UTC.</summary>
    Date,

    /// <summary>Free text.</summary>
    Text,

    /// <summary>One value only (or all missing): not used as an input.</summary>
    Constant,

    /// <summary>A different value in every row (row number, key, hash): not used as an input.</summary>
    Identifier,

    /// <summary>An image of fixed height, width and channels.</summary>
    Image,
}
