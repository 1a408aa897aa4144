// What Transport needs of OpenSSL 3. Swift imports functions but no function-like macros, so those that are used
// get a function here.
#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Besides: Swift's Glibc module lacks malloc.h, and most of what connections leave behind was OpenSSL's.
static inline int shim_malloc_trim(void) { return malloc_trim(0); }

static const uint64_t shim_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t shim_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t shim_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const uint64_t shim_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;

/// The largest record and, what OpenSSL does not raise with it, the largest piece of what is written.
static inline void shim_SSL_set_record_size(SSL *ssl, long size) {
  SSL_set_max_send_fragment(ssl, size);
  SSL_set_split_send_fragment(ssl, size);
}
static inline long shim_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }
static inline int shim_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
  return (int)SSL_CTX_set_min_proto_version(ctx, version);
}
static inline long shim_SSL_CTX_set_session_cache_mode(SSL_CTX *ctx, long mode) {
  return SSL_CTX_set_session_cache_mode(ctx, mode);
}
static inline long shim_SSL_CTX_set_max_cert_list(SSL_CTX *ctx, long bytes) {
  return SSL_CTX_set_max_cert_list(ctx, bytes);
}
static inline int shim_SSL_CTX_set1_groups_list(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_groups_list(ctx, list);
}
static inline int shim_SSL_CTX_add1_chain_cert(SSL_CTX *ctx, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}
static inline void shim_SSL_CTX_set_server_name_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *arg) {
  SSL_CTX_set_tlsext_servername_callback(ctx, callback);
  SSL_CTX_set_tlsext_servername_arg(ctx, arg);
}
static inline int shim_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int shim_SSL_get_ex_new_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

static inline void shim_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void shim_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline long shim_BIO_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }

static inline int shim_ERR_is_ssl_reason(unsigned long error) { return ERR_GET_LIB(error) == ERR_LIB_SSL; }
static inline int shim_ERR_get_reason(unsigned long error) { return ERR_GET_REASON(error); }

static inline int shim_sk_X509_num(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }
static inline X509 *shim_sk_X509_value(const STACK_OF(X509) *chain, int index) { return sk_X509_value(chain, index); }
static inline GENERAL_NAMES *shim_X509_get_subject_alt_names(X509 *certificate, int *critical) {
  return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, critical, NULL);
}
static inline int shim_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *shim_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}
/// RFC 2253 form with control characters escaped and UTF-8 left as it is.
static inline int shim_X509_NAME_print(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}
/// The text of a dNSName, a URI or an otherName of a string type, else NULL. The type of an otherName goes to `oid`
/// in dotted form.
static inline const ASN1_STRING *shim_GENERAL_NAME_get0_string(const GENERAL_NAME *name, char *oid, int oid_size) {
  ASN1_OBJECT *type = NULL;
  ASN1_TYPE *value = NULL;
  if (name->type == GEN_DNS || name->type == GEN_URI) return name->d.ia5;
  if (!GENERAL_NAME_get0_otherName(name, &type, &value)) return NULL;
  OBJ_obj2txt(oid, oid_size, type, 1);
  switch (value->type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_IA5STRING:
      return value->value.asn1_string;
    default:
      return NULL;
  }
}
