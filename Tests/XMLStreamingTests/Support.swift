import Testing

@testable import XMLStreaming

let streamHeader =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
  + "xmlns:db='jabber:server:dialback' from='a.example' to='b.example' id='x' version='1.0' xml:lang='en'>"

/// What a parser made of some bytes.
struct Reading: Equatable {
  var events: [XMLStreamEvent] = []
  var error: XMLStreamError?

  var elements: [XMLElement] {
    events.compactMap { if case .element(let element) = $0 { element } else { nil } }
  }
  var condition: String? { error?.streamCondition }
}

func read(_ portions: [[UInt8]], limits: XMLLimits = .authenticated) -> Reading {
  let parser = XMLStreamParser(limits: limits)
  var reading = Reading()
  do {
    for portion in portions { try parser.feed(portion, into: &reading.events) }
  } catch {
    reading.error = error
  }
  return reading
}

func read(_ text: String, limits: XMLLimits = .authenticated) -> Reading { read([Array(text.utf8)], limits: limits) }

/// With the stream header in front.
func readStanzas(_ text: String, limits: XMLLimits = .authenticated) -> Reading {
  read(streamHeader + text, limits: limits)
}

func bytewise(_ text: [UInt8], limits: XMLLimits = .authenticated) -> Reading {
  read(text.map { [$0] }, limits: limits)
}

/// The element as it looks on the wire inside a server stream.
func written(_ element: XMLElement) -> String {
  var out: [UInt8] = []
  XMLWriter.serialize(
    element, streamDefault: "jabber:server",
    prefixes: ["http://etherx.jabber.org/streams": "stream", "jabber:server:dialback": "db"], into: &out)
  return String(decoding: out, as: UTF8.self)
}

/// A reproducible source of randomness (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
