// SPDX-License-Identifier: Apache-2.0
// EchoServer - a small server on the official Java SDK, for the test that Java works under the system call filter
import com.fasterxml.jackson.databind.ObjectMapper;
import io.modelcontextprotocol.json.jackson.JacksonMcpJsonMapper;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema;
import java.util.concurrent.CountDownLatch;

public class EchoServer {
    public static void main(String[] args) throws Exception {
        var mapper = new JacksonMcpJsonMapper(new ObjectMapper());
        var schema = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}";
        var tool = McpSchema.Tool.builder().name("echo").description("says it again").inputSchema(mapper, schema).build();
        McpServer.sync(new StdioServerTransportProvider(mapper))
            .serverInfo("java-echo", "1")
            .capabilities(McpSchema.ServerCapabilities.builder().tools(true).build())
            .tools(McpServerFeatures.SyncToolSpecification.builder().tool(tool).callHandler((exchange, request) ->
                McpSchema.CallToolResult.builder().addTextContent("Java says " + request.arguments().get("text")).build()).build())
            .build();
        new CountDownLatch(1).await();
    }
}
