/// An expanded name: what Namespaces in XML 1.0 §2.1 compares, whatever prefix was written.
package struct XMLName: Hashable, Sendable {
  /// Empty: in no namespace.
  package var namespace: String
  package var local: String

  package init(_ local: String, namespace: String = "") {
    self.namespace = namespace
    self.local = local
  }
}

extension XMLName: CustomStringConvertible {
  package var description: String { namespace.isEmpty ? local : "{\(namespace)}\(local)" }
}

/// The two namespaces that every document knows without a declaration (Namespaces in XML 1.0 §3).
package enum XMLNamespace {
  /// Bound to the prefix `xml` (`xml:lang`).
  package static let xml = "http://www.w3.org/XML/1998/namespace"
  /// Bound to `xmlns`; nothing may be named in it.
  static let xmlns = "http://www.w3.org/2000/xmlns/"
}

package struct XMLAttribute: Hashable, Sendable {
  package var name: XMLName
  package var value: String

  package init(_ name: XMLName, _ value: String) {
    self.name = name
    self.value = value
  }

  package init(_ local: String, namespace: String = "", _ value: String) {
    self.init(XMLName(local, namespace: namespace), value)
  }
}
