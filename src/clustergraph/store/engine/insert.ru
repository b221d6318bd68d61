INSERT DATA {
$data}
