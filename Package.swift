// swift-tools-version: 6.2
import PackageDescription

// Drawbridge: one executable, many small targets. The layers and the rules between them are described in
// Sources/Gateway/Gateway.docc/Architecture.md and enforced by Tests/ArchitectureTests.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

// Test code runs real peers and reads their files; it keeps the language mode and the warnings, not the
// memory-safety markers.
let relaxed: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHelpers: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: relaxed)
}

let package = Package(
  name: "drawbridge",
  products: [
    .executable(name: "drawbridge", targets: ["drawbridge"]),
    .executable(name: "drawbridge-lab", targets: ["drawbridge-lab"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // System libraries: one importer each.
    .systemLibrary(name: "CExpat"),
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CLMDB"),
    .systemLibrary(name: "CUnbound"),
    // A C face for toml++, which is C++ and headers only.
    .target(name: "CTOML", cxxSettings: [.treatAllWarnings(as: .error)]),

    // Pure cores: no I/O, no clock, no Foundation, no actor.
    core("XMLStreaming", ["CExpat"]),
    core("XMPPCore", ["XMLStreaming"]),
    core("SIPCore"),
    core("BrokerCore", [deque]),
    core("ConfigCore", ["CTOML"]),
    core("MetricsCore"),

    // Drivers.
    core("LMDBStore", ["BrokerCore", "CLMDB", logging]),
    core("Transport", ["COpenSSL", "CUnbound", nio, nioPosix, logging]),
    core("AdminEndpoint", ["MetricsCore", nio, nioPosix, nioHTTP1, logging]),
    core("XMPPAdapter", ["XMPPCore", "XMLStreaming", "BrokerCore", "Transport", nio, logging]),
    core("SIPAdapter", ["SIPCore", "BrokerCore", "Transport", nio, logging]),
    core(
      "Gateway",
      [
        "XMPPAdapter", "SIPAdapter", "AdminEndpoint", "LMDBStore", "Transport", "BrokerCore", "ConfigCore",
        "MetricsCore", nio, nioPosix, logging,
      ]),
    .executableTarget(name: "drawbridge", dependencies: ["Gateway", arguments], swiftSettings: strict),

    // The lab: real peers, certificates, scripted users, load. Never shipped.
    .target(
      name: "Lab", dependencies: ["Transport", "XMLStreaming", "SIPCore", nio, nioPosix, logging],
      swiftSettings: relaxed),
    .executableTarget(name: "drawbridge-lab", dependencies: ["Lab", arguments], swiftSettings: relaxed),

    tests("XMLStreamingTests", ["XMLStreaming"]),
    tests("XMPPCoreTests", ["XMPPCore", "XMLStreaming"]),
    tests("SIPCoreTests", ["SIPCore"]),
    tests("BrokerCoreTests", ["BrokerCore"]),
    tests("ConfigCoreTests", ["ConfigCore"]),
    tests("MetricsCoreTests", ["MetricsCore"]),
    tests("LMDBStoreTests", ["LMDBStore", "BrokerCore", logging]),
    tests("TransportTests", ["Transport", nio, nioPosix]),
    tests(
      "AdapterTests",
      [
        "XMPPAdapter", "SIPAdapter", "XMPPCore", "XMLStreaming", "SIPCore", "BrokerCore", "Transport", "Lab", nio,
        nioPosix, logging,
      ]),
    tests("GatewayTests", ["Gateway", "AdminEndpoint", nio, nioPosix, nioHelpers, logging]),
    tests("ArchitectureTests", []),
    tests("InteropTests", ["Lab", "drawbridge", "drawbridge-lab"]),
  ],
  cxxLanguageStandard: .cxx17
)
