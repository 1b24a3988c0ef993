/// Places in `finished`, in the order in which jobs came to their end: dead ones apart, since they are kept by a rule of
/// their own.
enum FinishedPlaces {
  static let dead = -(Int64(1) << 62)...(-1)
  /// Of succeeded and cancelled jobs.
  static let other = 1...(Int64(1) << 62)
}
