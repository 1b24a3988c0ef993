/// The longest time anybody may ask for, in milliseconds: 100 years. Longer ones are refused or cut where they enter, so
/// that no sum of a moment and a duration leaves what a `Timestamp` holds.
public let longestDurationMilliseconds: Int64 = 100 * 365 * 86_400_000
