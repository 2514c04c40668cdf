<?php
header('Content-Type: text/plain');
echo getenv('GREETING'), ' ', $_GET['name'], ' from ', gethostname(), "\n";
file_put_contents('php://stderr', 'greeted ' . $_GET['name'] . "\n");
