#pragma once

/// A TOML 1.0 text as a flat list of values, each with where it stands. Parsing is done by toml++; no exception leaves
/// these functions.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Arrays and inline tables in one another; a configuration has three levels.
#define CTOML_MAXIMUM_NESTING 16
/// Dots in a line, which is what bounds the length of a dotted key: each of its parts is one more table in the other.
#define CTOML_MAXIMUM_DOTS 1000
/// From the root to any value.
#define CTOML_MAXIMUM_DEPTH 64

/// UTF-8, not terminated, NUL included where the text has `\u0000`.
typedef struct CTOMLText {
  const uint8_t *_Nullable bytes;
  size_t count;
} CTOMLText;

/// Counted from 1; columns in Unicode scalars.
typedef struct CTOMLPosition {
  uint32_t line;
  uint32_t column;
} CTOMLPosition;

typedef enum __attribute__((enum_extensibility(closed))) CTOMLKind {
  CTOMLKindTable,
  CTOMLKindArray,
  CTOMLKindString,
  CTOMLKindInteger,
  CTOMLKindFloat,
  CTOMLKindBoolean,
  /// Without their values: no option is a date or a time.
  CTOMLKindDate,
  CTOMLKindTime,
  CTOMLKindDateTime,
} CTOMLKind;

typedef struct CTOMLNode {
  CTOMLKind kind;
  bool boolean;
  /// Of a member of a table; empty and 0 otherwise.
  CTOMLText key;
  CTOMLPosition key_position;
  CTOMLPosition position;
  CTOMLText text;
  int64_t integer;
  double floating;
  /// Members (in the order of their keys' places) or elements are nodes[first ..< first + count], behind this node.
  size_t first;
  size_t count;
} CTOMLNode;

typedef struct CTOMLDocument {
  /// The root table first. NULL if the text is not TOML.
  const CTOMLNode *_Nullable nodes;
  size_t count;
  /// What is wrong with the text and where, if there are no nodes.
  CTOMLText error;
  CTOMLPosition error_position;
} CTOMLDocument;

/// Copies what it needs; everything in the result lives until `ctoml_free`. NULL if there is no memory.
const CTOMLDocument *_Nullable ctoml_parse(const uint8_t *_Nullable bytes, size_t count);

void ctoml_free(const CTOMLDocument *_Nullable document);

#ifdef __cplusplus
}
#endif
