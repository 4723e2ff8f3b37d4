// Package version has the version of Perijove.
package version

// Version is the version of this source, in the form of semantic versioning.
const Version = "0.1.0"
