import BrokerCore

/// The form of an entry on disk.
///
///     record  = version kind adapter domain accepted expires content crc
///     version = %x01                         ; one byte
///     kind    = %x00 chat / %x01 single / %x02 failure
///     accepted, expires, … times             ; 8 bytes big-endian, milliseconds since 1970
///     text    = length *OCTET                ; length: LEB128, text: UTF-8, may hold NUL
///     [text]  = length + 1, or %x00 where there is none
///     content = id from to body [subject] [thread] [language]                      ; message
///             = messageID sender recipient [thread] accepted condition text detail [alternative]  ; failure
///     from, to, sender, recipient = user domain [endpoint]
///     crc     = CRC-32 of all before, 4 bytes big-endian
///
/// The entry's id is the key. A change of form gets a new version; the decoder keeps all old ones.
enum EntryCodec {
  static let version: UInt8 = 1

  enum Kind: UInt8 {
    case chat = 0
    case single = 1
    case failure = 2
  }

  /// Appends nothing but the record; `record` is emptied first so that its memory is used again.
  static func encode(_ entry: Entry, into record: inout [UInt8]) {
    record.removeAll(keepingCapacity: true)
    var writer = RecordWriter(bytes: record)
    record = []
    writer.byte(version)
    writer.byte(kind(of: entry.content).rawValue)
    writer.text(entry.destination.adapter.name)
    writer.text(entry.destination.domain)
    writer.time(entry.accepted)
    writer.time(entry.expires)
    switch entry.content {
    case .message(let message): encode(message, &writer)
    case .failure(let report): encode(report, &writer)
    }
    writer.checksum()
    record = writer.bytes
  }

  /// Throws for any record that `encode` did not write.
  static func decode(_ record: [UInt8], id: EntryID) throws(RecordError) -> Entry {
    guard let found = record.first else { throw .truncated }
    guard found == version else { throw .unknownVersion(found) }
    var reader = try RecordReader(checked: record)
    _ = try reader.byte()
    guard let kind = Kind(rawValue: try reader.byte()) else { throw .invalid("kind") }
    let adapter = AdapterID(try reader.text())
    let destination = Destination(adapter: adapter, domain: try reader.text())
    let accepted = try reader.time()
    let expires = try reader.time()
    let content: Entry.Content =
      switch kind {
      case .chat: .message(try message(.chat, &reader))
      case .single: .message(try message(.single, &reader))
      case .failure: .failure(try report(&reader))
      }
    try reader.finish()
    return Entry(id: id, destination: destination, content: content, accepted: accepted, expires: expires)
  }

  private static func kind(of content: Entry.Content) -> Kind {
    switch content {
    case .message(let message): message.kind == .chat ? .chat : .single
    case .failure: .failure
    }
  }

  private static func encode(_ message: Message, _ writer: inout RecordWriter) {
    writer.text(message.id)
    writer.address(message.from)
    writer.address(message.to)
    writer.text(message.body)
    writer.optionalText(message.subject)
    writer.optionalText(message.thread)
    writer.optionalText(message.language)
  }

  private static func message(
    _ kind: Message.Kind, _ reader: inout RecordReader
  ) throws(RecordError) -> Message {
    Message(
      id: try reader.text(), from: try reader.address(), to: try reader.address(), kind: kind,
      body: try reader.text(), subject: try reader.optionalText(), thread: try reader.optionalText(),
      language: try reader.optionalText())
  }

  private static func encode(_ report: FailureReport, _ writer: inout RecordWriter) {
    writer.text(report.messageID)
    writer.address(report.sender)
    writer.address(report.recipient)
    writer.optionalText(report.thread)
    writer.time(report.accepted)
    writer.text(report.error.condition.rawValue)
    writer.text(report.error.text)
    writer.text(report.error.detail)
    writer.optionalText(report.error.alternative)
  }

  private static func report(_ reader: inout RecordReader) throws(RecordError) -> FailureReport {
    let messageID = try reader.text()
    let sender = try reader.address()
    let recipient = try reader.address()
    let thread = try reader.optionalText()
    let accepted = try reader.time()
    guard let condition = DeliveryError.Condition(rawValue: try reader.text()) else { throw .invalid("condition") }
    let error = DeliveryError(
      condition, text: try reader.text(), detail: try reader.text(), alternative: try reader.optionalText())
    return FailureReport(
      messageID: messageID, sender: sender, recipient: recipient, thread: thread, accepted: accepted, error: error)
  }
}
