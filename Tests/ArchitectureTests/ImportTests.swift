import Foundation
import Testing

/// The rules between the layers, checked on the `import` lines themselves. A rule that fails names the file and what it
/// may not import.
@Suite struct ImportTests {
  /// What a pure core may import. No clock, no I/O, no Foundation, no NIO.
  static let cores: [String: Set<String>] = [
    "XMLStreaming": ["CExpat"],
    "XMPPCore": ["XMLStreaming"],
    "SIPCore": [],
    "BrokerCore": ["DequeModule"],
    "ConfigCore": ["CTOML"],
    "MetricsCore": ["Synchronization"],
  ]

  static let drivers: [String: Set<String>] = [
    "LMDBStore": ["BrokerCore", "CLMDB", "Logging", "Glibc", "Synchronization"],
    "Transport": [
      "COpenSSL", "CUnbound", "NIOCore", "NIOPosix", "NIOConcurrencyHelpers", "Logging", "Glibc", "Synchronization",
    ],
    "AdminEndpoint": ["MetricsCore", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging", "Glibc", "Synchronization"],
    "XMPPAdapter": [
      "XMPPCore", "XMLStreaming", "BrokerCore", "MetricsCore", "Transport", "NIOCore", "Logging", "DequeModule",
      "Glibc",
      "Synchronization",
    ],
    "SIPAdapter": [
      "SIPCore", "BrokerCore", "Transport", "NIOCore", "Logging", "DequeModule", "Glibc",
      "Synchronization",
    ],
  ]

  /// A C library has one owner.
  static let owners = [
    "CExpat": "XMLStreaming", "COpenSSL": "Transport", "CUnbound": "Transport", "CLMDB": "LMDBStore",
    "CTOML": "ConfigCore",
  ]

  static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources")

  struct Import {
    var target: String
    var file: String
    var module: String
  }

  static func imports() throws -> [Import] {
    let pattern = /^\s*(?:@[\w()]+\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:\w+\s+)?(\w+)/
    var found: [Import] = []
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let relative = file.path.dropFirst(sources.path.count + 1)
      let target = String(relative.prefix { $0 != "/" })
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        guard let match = try pattern.firstMatch(in: line) else { continue }
        found.append(Import(target: target, file: String(relative), module: String(match.1)))
      }
    }
    return found
  }

  @Test func everyTargetImportsOnlyWhatItMay() throws {
    let imports = try Self.imports()
    #expect(imports.count > 50, "the sources were found")
    for item in imports {
      guard let allowed = Self.cores[item.target] ?? Self.drivers[item.target] else { continue }
      let isAllowed = item.module == "Swift" || allowed.contains(item.module)
      #expect(isAllowed, "\(item.file) imports \(item.module)")
    }
  }

  @Test func everyLibraryHasOneOwner() throws {
    for item in try Self.imports() {
      guard let owner = Self.owners[item.module] else { continue }
      #expect(item.target == owner, "\(item.file) imports \(item.module), which belongs to \(owner)")
    }
  }

  @Test func theProductDoesWithoutFoundation() throws {
    let lab: Set = ["Lab", "drawbridge-lab"]
    for item in try Self.imports() where !lab.contains(item.target) {
      #expect(!item.module.hasPrefix("Foundation"), "\(item.file) imports \(item.module)")
    }
  }

  @Test func nothingOfTheProductImportsTheLab() throws {
    for item in try Self.imports() where item.module == "Lab" {
      #expect(item.target == "drawbridge-lab", "\(item.file)")
    }
  }

  @Test func everyCoreAndDriverExists() throws {
    let targets = Set(try Self.imports().map(\.target))
    for target in Self.drivers.keys { #expect(targets.contains(target), "\(target)") }
  }
}
