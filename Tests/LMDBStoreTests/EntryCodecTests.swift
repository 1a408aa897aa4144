import BrokerCore
import Testing

@testable import LMDBStore

@Suite struct EntryCodecTests {
  static let texts = ["", "x", "a\u{0}b", "👩‍👩‍👧‍👦 שלום e\u{301} &<>\"'\r\n\t", String(repeating: "ä", count: 3_000)]
  static let addresses = [
    Address(user: "o'malley", domain: "corp.test"), Address(user: "jörg a b", domain: "xn--d1acufc.test", endpoint: ""),
    Address(user: "", domain: "corp.test", endpoint: "desk\u{0}🖥"),
  ]

  static let entries: [Entry] = {
    var entries: [Entry] = []
    func add(_ content: Entry.Content, _ time: Int64) {
      entries.append(
        Entry(
          id: EntryID(rawValue: UInt64(entries.count) + 1),
          destination: Destination(adapter: AdapterID("skype"), domain: "corp.test"), content: content,
          accepted: Timestamp(milliseconds: time), expires: Timestamp(milliseconds: Int64.max)))
    }
    for (index, body) in texts.enumerated() {
      for optional in [nil, "", body] as [String?] {
        for kind in [Message.Kind.chat, .single] {
          add(
            .message(
              Message(
                id: body, from: addresses[index % 3], to: addresses[(index + 1) % 3], kind: kind, body: body,
                subject: optional, thread: index == 1 ? nil : optional, language: index == 2 ? "de-CH" : optional)),
            Int64.min)
        }
        for condition in DeliveryError.Condition.allCases {
          add(
            .failure(
              FailureReport(
                messageID: body, sender: addresses[index % 3], recipient: addresses[(index + 2) % 3], thread: optional,
                accepted: Timestamp(milliseconds: -1),
                error: DeliveryError(condition, text: body, detail: "detail", alternative: optional))), 0)
        }
      }
    }
    return entries
  }()

  @Test func everyFieldComesBack() throws {
    var record: [UInt8] = [1, 2, 3]
    for entry in Self.entries {
      EntryCodec.encode(entry, into: &record)
      #expect(try EntryCodec.decode(record, id: entry.id) == entry)
    }
    #expect(Self.entries.count == 5 * 3 * (2 + DeliveryError.Condition.allCases.count))
  }

  @Test func aRecordThatLostBytesOrGotMoreIsRefused() {
    var record: [UInt8] = []
    EntryCodec.encode(.sample(7), into: &record)
    for count in 0..<record.count {
      #expect(throws: RecordError.self) { try EntryCodec.decode(Array(record.prefix(count)), id: EntryID(rawValue: 7)) }
    }
    #expect(throws: RecordError.checksum) { try EntryCodec.decode(record + [0], id: EntryID(rawValue: 7)) }
  }

  @Test func everyFlippedBitIsNoticed() {
    var record: [UInt8] = []
    EntryCodec.encode(.sample(7), into: &record)
    for bit in 0..<record.count * 8 {
      var damaged = record
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: RecordError.self) { try EntryCodec.decode(damaged, id: EntryID(rawValue: 7)) }
    }
  }

  /// Records with a right checksum and wrong content: the decoder must not trust the checksum.
  @Test(
    arguments: [
      ([1, 9], RecordError.invalid("kind")),
      ([1, 0], .truncated),
      ([1, 0, 5, 0x61], .truncated),
      ([1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], .truncated),
      ([1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], .invalid("length")),
      ([1, 0, 2, 0xC3, 0x28], .invalid("text")),
      ([2, 0], .unknownVersion(2)),
    ] as [([UInt8], RecordError)])
  func contentIsChecked(content: [UInt8], expected: RecordError) {
    let record = content + Checksum.crc32(content[...]).bigEndianBytes
    #expect(throws: expected) { try EntryCodec.decode(record, id: EntryID(rawValue: 1)) }
  }

  @Test func trailingBytesAreRefused() {
    var record: [UInt8] = []
    EntryCodec.encode(.sample(7), into: &record)
    let longer = record.dropLast(4) + [0]
    #expect(throws: RecordError.trailingBytes) {
      try EntryCodec.decode(longer + Checksum.crc32(longer[...]).bigEndianBytes, id: EntryID(rawValue: 7))
    }
  }

  @Test func checksumIsTheWellKnownOne() {
    #expect(Checksum.crc32(Array("123456789".utf8)[...]) == 0xCBF4_3926)
  }
}
