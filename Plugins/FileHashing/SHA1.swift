import CCrypto

/// SHA-1 by libcrypto: for telling files apart, not for security.
public struct SHA1: ~Copyable {
  private let context = EVP_MD_CTX_new()

  public init() {
    EVP_DigestInit_ex(context, EVP_sha1(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// 40 lower-case hexadecimal digits.
  public consuming func finish() -> String {
    var digest = [UInt8](repeating: 0, count: 20)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 0xf, radix: 16)
    }.joined()
  }
}
