import Foundation
import FoundationXML

/// An element as an XMPP client sees it. Parsed by libxml2, so that what Drawbridge's Expat and writer think right is
/// judged by somebody else.
package struct XMLNode: Sendable {
  package var name: String
  package var namespace: String
  package var attributes: [String: String]
  package var children: [XMLNode] = []
  package var text = ""

  package subscript(_ attribute: String) -> String? { attributes[attribute] }

  package func child(_ name: String) -> XMLNode? { children.first { $0.name == name } }

  /// - Parameter declarations: the namespace declarations of the stream header, which a stanza inherits.
  static func parse(_ stanza: [UInt8], declarations: String) throws -> XMLNode {
    let reader = Reader()
    let parser = XMLParser(data: Data(Array("<lab \(declarations)>".utf8) + stanza + Array("</lab>".utf8)))
    parser.shouldProcessNamespaces = true
    parser.delegate = reader
    guard parser.parse(), let node = reader.root?.children.first else {
      let reason = parser.parserError.map { "\($0)" } ?? "no element"
      throw LabError("not well-formed (\(reason)): \(String(decoding: stanza.prefix(400), as: UTF8.self))")
    }
    return node
  }

  /// Escapes for text and for attribute values alike.
  package static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&apos;"
      case "\r": result += "&#13;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var stack: [XMLNode] = []
    var root: XMLNode?

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      let local = name.split(separator: ":").last.map(String.init) ?? name
      stack.append(XMLNode(name: local, namespace: namespaceURI ?? "", attributes: attributes))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if !stack.isEmpty { stack[stack.count - 1].text += string }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      guard let node = stack.popLast() else { return }
      if stack.isEmpty {
        root = node
      } else {
        stack[stack.count - 1].children.append(node)
      }
    }
  }
}
