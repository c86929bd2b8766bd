import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

/** The JDBC driver of Arrow Flight SQL as a client: metadata, values, rows; prints what it got, a line each. */
public final class FlightJdbc {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("useEncryption", "false");
        // What tools send where a server asks for nobody's name.
        properties.setProperty("user", "anybody");
        properties.setProperty("password", "anything");
        String url = "jdbc:arrow-flight-sql://127.0.0.1:" + args[0];
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            DatabaseMetaData meta = connection.getMetaData();
            say("product", meta.getDatabaseProductName());
            say("read only", Boolean.toString(meta.isReadOnly()));
            say("quote", meta.getIdentifierQuoteString());
            StringBuilder names = new StringBuilder();
            try (ResultSet rows = meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})) {
                while (rows.next()) {
                    names.append(rows.getString("TABLE_NAME")).append(':').append(rows.getString("TABLE_TYPE")).append(' ');
                }
            }
            say("tables", names.toString().trim());
            int columns = 0;
            String first = "";
            try (ResultSet rows = meta.getColumns("floodmark", "public", "requests", "%")) {
                while (rows.next()) {
                    columns++;
                    if (rows.getString("COLUMN_NAME").equals("ts")) {
                        first = rows.getString("TYPE_NAME") + " " + rows.getInt("ORDINAL_POSITION");
                    }
                }
            }
            say("columns", columns + " " + first);
            int schemas = 0;
            try (ResultSet rows = meta.getSchemas()) {
                while (rows.next()) {
                    schemas++;
                }
            }
            say("schemas", Integer.toString(schemas));
            say("keys", Boolean.toString(meta.getPrimaryKeys(null, "public", "requests").next()));
            String sql = "SELECT ts, client_ip, status, topic_offset, malformed FROM \"floodmark\".\"public\".\"requests\" "
                + "WHERE status = ? AND path <> ? ORDER BY ts, topic_offset LIMIT 1";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setInt(1, 200);
                statement.setString(2, "'; DROP");
                for (int times = 0; times < 2; times++) {
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        say("row", rows.getTimestamp(1).toInstant() + " " + rows.getString(2) + " " + rows.getInt(3)
                            + " " + rows.getLong(4) + " " + rows.getBoolean(5));
                    }
                }
            }
            try (var statement = connection.createStatement()) {
                try (ResultSet rows = statement.executeQuery("SELECT sources FROM attacks WHERE source_count > 1 LIMIT 1")) {
                    rows.next();
                    say("list", Boolean.toString(((Object[]) rows.getArray(1).getArray()).length > 0));
                }
                int taken = 0;
                try (ResultSet rows = statement.executeQuery("SELECT path FROM requests LIMIT 5000")) {
                    while (rows.next()) {
                        taken++;
                    }
                }
                say("rows", Integer.toString(taken));
                say("has rows", Boolean.toString(statement.execute("SELECT 1")));
            }
            String[][] wrong = {
                {"SELECT nothing FROM requests", "no column `nothing`"}, {"DELETE FROM requests", "DELETE is refused"},
            };
            for (String[] pair : wrong) {
                try (var statement = connection.createStatement()) {
                    statement.executeQuery(pair[0]).next();
                    say("wrong", "nothing");
                } catch (SQLException error) {
                    say("wrong", Boolean.toString(error.getMessage().contains(pair[1])));
                }
            }
        }
    }

    private static void say(String name, String value) {
        System.out.println(name + "=" + value);
    }
}
