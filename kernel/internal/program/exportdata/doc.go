// Package exportdata loads the export data of compiled packages for the type checker
// (packages.go, cache.go), chooses the package for a name that a cell uses without an import
// (byname.go), and describes a package's API, to compare two builds of it (api.go).
package exportdata
