-- nginx on loopback for specs: a real server with ranges, throttling, redirects and TLS.
local fs = require "core.fs"
local http = require "core.http"
local process = require "core.process"
local sys = require "core.sys"
local support = require "tests.support"

local M = {}

--- A port that was free a moment ago.
function M.free_port()
  return (support.python [[
import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])]]:match("%d+"))
end

local CONFIG <const> = [[
$user daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
  fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
  sendfile on;
  server {
    listen 127.0.0.1:$port; root $dir/www;
    $locations
  }
}]]

--- A certificate that only those trust who are told to.
-- @param name as openssl's subjectAltName has it: "DNS:localhost"
-- @return the text for a server block that uses it; path of the certificate
function M.certificate(name)
  local folder = support.folder()
  local done = support.run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder .. "/key", "-out",
    folder .. "/cert", "-days", "2", "-subj", "/CN=bittern", "-addext", "subjectAltName=" .. name }
  assert(done.status == 0, done.stderr)
  return ("ssl_certificate %s/cert; ssl_certificate_key %s/key;"):format(folder, folder),
    folder .. "/cert"
end

--- Starts nginx over an empty folder.
-- @param locations text for the server block, with $dir, $port and $tls, another free port
-- @return {url, tls, www = folder that it serves, dir, close = function}
function M.start(locations)
  local dir, port, tls = support.folder(), M.free_port(), M.free_port()
  local fields = { user = fs.stat("/proc/self").uid == 0 and "user root;" or "", dir = dir,
    port = port, tls = tls }
  local text = CONFIG:gsub("%$locations", function() return locations or "" end)
  assert(fs.mkdir(dir .. "/www"))
  assert(fs.write(dir .. "/nginx.conf", (text:gsub("%$(%l+)%f[^%l_]", fields))))
  local child = assert(process.spawn { argv = { "/usr/sbin/nginx", "-p", dir, "-c",
    dir .. "/nginx.conf", "-e", dir .. "/error" }, stderr = dir .. "/stderr" })
  local url = "http://127.0.0.1:" .. port
  for _ = 1, 100 do
    if http.request { url = url .. "/none" } then break end
    sys.sleep(0.05)
  end
  return { url = url, tls = tls, www = dir .. "/www", dir = dir,
    close = function() child:close() end }
end

return M
