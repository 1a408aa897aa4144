package enum XMLContent: Hashable, Sendable {
  case element(XMLElement)
  case text(String)
}

/// An element with everything in it, in document order. A value: copies share storage until one is changed.
///
/// Prefixes and namespace declarations are not kept; the writer makes its own. Neighbouring character data, CDATA
/// sections and references are one `text`.
package struct XMLElement: Hashable, Sendable {
  package var name: XMLName
  package var attributes: [XMLAttribute]
  package var content: [XMLContent]

  package init(name: XMLName, attributes: [XMLAttribute] = [], content: [XMLContent] = []) {
    self.name = name
    self.attributes = attributes
    self.content = content
  }

  package init(_ local: String, namespace: String, attributes: [XMLAttribute], content: [XMLContent] = []) {
    self.init(name: XMLName(local, namespace: namespace), attributes: attributes, content: content)
  }

  /// With attributes in no namespace.
  package init(_ local: String, namespace: String, attributes: [(String, String)] = [], content: [XMLContent] = []) {
    self.init(
      name: XMLName(local, namespace: namespace),
      attributes: attributes.map { XMLAttribute($0.0, $0.1) },
      content: content)
  }

  /// With character data only.
  package init(_ local: String, namespace: String, attributes: [(String, String)] = [], text: String) {
    self.init(local, namespace: namespace, attributes: attributes, content: text.isEmpty ? [] : [.text(text)])
  }
}

extension XMLElement {
  package var local: String { name.local }
  package var namespace: String { name.namespace }

  package func isNamed(_ local: String, _ namespace: String) -> Bool {
    name.local == local && name.namespace == namespace
  }

  /// The attribute of this name in no namespace. Setting `nil` removes it.
  package subscript(attribute: String) -> String? {
    get { self.attribute(attribute, namespace: "") }
    set { setAttribute(attribute, namespace: "", newValue) }
  }

  package func attribute(_ local: String, namespace: String) -> String? {
    for attribute in attributes where attribute.name.local == local && attribute.name.namespace == namespace {
      return attribute.value
    }
    return nil
  }

  package mutating func setAttribute(_ local: String, namespace: String, _ value: String?) {
    let name = XMLName(local, namespace: namespace)
    let index = attributes.firstIndex { $0.name == name }
    switch (index, value) {
    case (let index?, let value?): attributes[index].value = value
    case (let index?, nil): attributes.remove(at: index)
    case (nil, let value?): attributes.append(XMLAttribute(name, value))
    case (nil, nil): break
    }
  }

  /// `xml:lang` of this very element; inheritance is the caller's business.
  package var language: String? {
    get { attribute("lang", namespace: XMLNamespace.xml) }
    set { setAttribute("lang", namespace: XMLNamespace.xml, newValue) }
  }

  /// The child elements, in order.
  package var elements: some Sequence<XMLElement> {
    content.lazy.compactMap { item -> XMLElement? in
      guard case .element(let element) = item else { return nil }
      return element
    }
  }

  /// The first child of this name.
  package func child(_ local: String, _ namespace: String) -> XMLElement? {
    for case .element(let element) in content where element.isNamed(local, namespace) { return element }
    return nil
  }

  package func children(_ local: String, _ namespace: String) -> [XMLElement] {
    elements.filter { $0.isNamed(local, namespace) }
  }

  /// The character data directly inside, without that of the children.
  package var text: String {
    var text = ""
    for case .text(let piece) in content {
      if text.isEmpty { text = piece } else { text += piece }
    }
    return text
  }
}

extension XMLElement {
  package mutating func add(_ element: XMLElement) { content.append(.element(element)) }

  package mutating func add(text: String) {
    if !text.isEmpty { content.append(.text(text)) }
  }

  package func adding(_ element: XMLElement) -> XMLElement {
    var copy = self
    copy.add(element)
    return copy
  }

  package func adding(text: String) -> XMLElement {
    var copy = self
    copy.add(text: text)
    return copy
  }

  /// Sets the attribute; with `nil` the element stays as it is.
  package func adding(attribute local: String, namespace: String = "", _ value: String?) -> XMLElement {
    guard let value else { return self }
    var copy = self
    copy.setAttribute(local, namespace: namespace, value)
    return copy
  }

  /// A child with character data only; with `nil` the element stays as it is.
  package func adding(_ local: String, namespace: String, text: String?) -> XMLElement {
    guard let text else { return self }
    return adding(XMLElement(local, namespace: namespace, text: text))
  }
}
