-- The one place that states the version; CHANGELOG.md tells what it brought.
return "0.1.0"
